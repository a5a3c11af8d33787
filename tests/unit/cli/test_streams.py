"""`syncengine streams`."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.cli.app import main
from syncengine.cli.screen import Screen
from syncengine.cli.streams import show_streams
from syncengine.config.streams import DEFAULT_STREAMS
from syncengine.exports.asking import lines
from syncengine.exports.streams import STREAMS

CONFIG = """\
[instance]
name = "acme"
base_url = "http://127.0.0.1:9"
client_id = "id"
client_secret = "secret"
[state]
path = "state"
[sync]
start = 2026-01-01
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs: nothing is there, and no variable names a configuration."""
    monkeypatch.delenv("SYNCENGINE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder: Path, streams: Sequence[str]) -> Path:
    path = folder / "acme.toml"
    path.write_text(f"{CONFIG}streams = {list(streams)}\n")
    path.chmod(0o600)
    return path


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    """The streams that the command gives to programs, by name."""
    assert 0 == main(["streams", "--json", *words])
    given = orjson.loads(capsys.readouterr().out)["streams"]
    return {each["stream"]: each for each in given}


def on(found: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, each in found.items() if each["is_on"]}


def test_without_a_configuration_every_stream_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever only looks around sees all there is, with what comes by default turned on."""
    found = listed(capsys)
    assert (list(STREAMS), set(DEFAULT_STREAMS)) == (list(found), on(found))


def test_the_configuration_says_what_is_on(capsys: pytest.CaptureFixture[str], empty_folder: Path) -> None:
    """Custom objects that are configured stand at the end; nobody is called and nothing is written."""
    path = configured(empty_folder, ["leads", "custom_object_car_c"])
    found = listed(capsys, "-c", str(path))
    assert ({"leads", "custom_object_car_c"}, "custom_object_car_c") == (on(found), list(found)[-1])
    assert ("bulk export", "Read-Only Custom Object") == (
        found["custom_object_car_c"]["way"],
        found["custom_object_car_c"]["permission"],
    )
    assert [path] == list(empty_folder.iterdir())


@pytest.mark.parametrize("is_variable", [True, False])
def test_a_configuration_that_was_named_has_to_be_there(is_variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults are not shown as somebody's choice."""
    if is_variable:
        monkeypatch.setenv("SYNCENGINE_CONFIG", "absent.toml")
    assert 2 == main(["streams"] if is_variable else ["streams", "-c", "absent.toml"])


def test_to_discover_takes_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """An instance is asked only where one is named."""
    assert 2 == main(["streams", "--discover"])
    assert "there is no configuration" in capsys.readouterr().err


def test_a_row_says_how_and_at_what_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream's way, cost, key, what dates it and the permission stand in one line."""
    assert 0 == main(["streams"])
    out = capsys.readouterr().out.splitlines()
    (leads,) = [line.split() for line in out if line.startswith("leads ")]
    assert "leads on bulk export 31 days or fewer: 3 calls; 1 a minute for all id updatedAt Lead" == " ".join(leads)
    assert 1 + len(STREAMS) + 1 == len(out)


def test_that_all_custom_objects_are_on_is_said() -> None:
    """They have no rows before the instance is asked for them."""
    out = io.StringIO()
    show_streams(Screen(out=out), lines(["custom_object_*"]), all_custom_objects=True)
    assert "Every custom object of the instance is on; --discover names them." == out.getvalue().splitlines()[-2]
