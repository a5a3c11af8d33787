"""A report for a bug: there however broken things are, and without a secret, a person or a subscription."""

from pathlib import Path

import anyio
import orjson
import pytest

from syncengine.doctor import LOG_LINES, Asked, default_name, examine, failure
from syncengine.state_reports import DoctorReport
from tests.unit.cli.live import configured
from tests.unit.config.test_shown import ENVIRONMENT, path  # noqa: F401  # a fixture
from tests.virtual import ORIGIN

# Nothing listens there.
NOWHERE = "http://127.0.0.1:9"


def examined(config: Path, *, online: bool = False, log: Path | None = None) -> DoctorReport:
    """A report, as real commands get it."""
    return anyio.run(examine, Asked(config, online=online, log=log))


def text_of(report: DoctorReport) -> str:
    return orjson.dumps(report.sections, default=str).decode()


def local(folder: Path, more: str = "") -> Path:
    configured(folder, NOWHERE, more)
    return folder / "syncengine.toml"


def test_all_sections_are_there(tmp_path: Path) -> None:
    """Before the first run nothing is wrong, and looking makes no file."""
    config = local(tmp_path)
    report = examined(config)
    assert () == report.problems
    sections = report.sections
    assert {"taken_at", "versions", "configuration", "machine", "state", "instances", "problems"} == sections.keys()
    assert {"aiohttp", "duckdb", "pyarrow"} <= sections["versions"]["libraries"].keys()
    assert sections["state"]["verify"]["whole"]
    assert {"status", "runs"} == sections["instances"]["acme"].keys()
    assert [config] == list(tmp_path.iterdir())


def test_no_canary_is_in_a_report(path: Path, tmp_path: Path) -> None:  # noqa: F811  # the fixture
    """Not from the file, not from the environment, not from a log that quotes them all."""
    log = tmp_path / "sync.log"
    log.write_text("\n".join([*ENVIRONMENT.values(), "canary-client-id at ada@example.org in 123-ABC-456", "end"]))
    report = examined(path, online=True, log=log)
    text = text_of(report)
    assert [] == [value for value in ENVIRONMENT.values() if len(value) > 5 and value in text]
    assert "canary-" not in text
    assert "ada@example.org" not in text
    assert "123-ABC-456" not in text
    assert "end" == report.sections["log"][-1]
    assert "mail.example.org" in text


@pytest.mark.parametrize("spoilt", ["[instance\n", "limits = 7\n", "[limits]\nin_flight = 'many'\n"])
def test_a_configuration_that_cannot_be_read_is_a_section(path: Path, spoilt: str) -> None:  # noqa: F811
    """Its problems are told, no canary is, and the rest is collected all the same."""
    path.write_text(f"{path.read_text()}\n{spoilt}")
    report = examined(path)
    assert "nightly.toml has" in report.sections["configuration"]["failed"]
    assert report.sections["configuration"]["problems"]
    assert report.problems[0].startswith("the configuration cannot be read")
    assert "canary-" not in text_of(report)
    assert "python" in report.sections["versions"]


def test_a_broken_state_is_told_and_hides_nothing_else(tmp_path: Path) -> None:
    """Of the same configuration: the state's failure, and what does not need it."""
    config = local(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.db").write_bytes(b"no database" * 1_000)
    sections = examined(config).sections
    assert "is damaged" in sections["state"]["verify"]["failed"]
    assert {"journal.db": 11_000} == sections["state"]["bytes"]
    assert "is damaged" in sections["instances"]["acme"]["status"]["failed"]
    assert "acme" in sections["configuration"]


def test_what_is_wrong_stands_in_the_problems(tmp_path: Path) -> None:
    """Marketo that does not answer, a log that is not there."""
    config = local(tmp_path)
    config.write_text(config.read_text().replace("time_scale = 300.0\n", ""))
    report = examined(config, online=True, log=tmp_path / "none.log")
    assert "acme: Marketo does not answer as it should" in report.problems[0]
    assert report.sections["instances"]["acme"]["marketo"]["skew_seconds"] is None
    assert "log cannot be told: FileNotFoundError: No such file or directory" == report.problems[1]


def test_of_a_log_the_last_lines_are_taken(tmp_path: Path) -> None:
    """As many as a person reads, however long the log is."""
    log = tmp_path / "sync.log"
    log.write_text("".join(f"line {number}\n" for number in range(200_000)))
    lines = examined(local(tmp_path), log=log).sections["log"]
    assert (LOG_LINES, f"line {200_000 - LOG_LINES}", "line 199999") == (len(lines), lines[0], lines[-1])


def test_an_error_that_nobody_foresaw_is_told_without_its_words() -> None:
    """Messages of libraries may quote anything: the place is enough."""

    def breaks() -> None:
        raise KeyError("ada@example.org")

    try:
        breaks()
    except KeyError as error:
        told = failure(ExceptionGroup("all", [error]))
    assert "KeyError" == told["failed"]
    assert told["where"][-1].endswith("in breaks")
    assert "ada" not in str(told)


def test_a_report_is_named_by_its_moment() -> None:
    """In UTC, so that reports sort."""
    assert "syncengine-doctor-20260302T080000Z.json" == default_name(ORIGIN)
