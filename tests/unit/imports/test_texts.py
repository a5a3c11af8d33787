"""What people write about an import."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.errors import ConfigError
from syncengine.imports.texts import mapping_in, share_of, span_of


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("20%", 0.2),
        (" 20 % ", 0.2),
        ("0.2", 0.2),
        ("1%", 0.01),
        ("0.5%", 0.005),
        ("0", 0.0),
        ("100%", 1.0),
    ],
)
def test_a_share_is_written_in_several_ways(text: str, share: float) -> None:
    """In percent or as a number."""
    assert share == pytest.approx(share_of(text))


@pytest.mark.parametrize(
    "text", ["", "%", "many", "-1%", "101%", "1", "1.0", "20", "100", "250", "nan", "inf", "1e400", "20%%", "0x2"]
)
def test_what_is_no_share_is_told(text: str) -> None:
    """With how to write one; whether a bare 1 is a percent or all nobody can tell."""
    with pytest.raises(ConfigError) as raised:
        share_of(text)
    assert (f"--max-failures {text!r} is no share", "Write it as 20%, or as 0.2; 100% never stops.") == (
        raised.value.message,
        raised.value.advice,
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), (" 1.5 h ", 5_400)]
)
def test_a_length_of_time_has_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes, hours or days."""
    assert timedelta(seconds=seconds) == span_of(text)


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-2h", "0s", "0.0h", "2 weeks", "2h30m", "1e3s", "9" * 400 + "s", "9" * 11 + "d"]
)
def test_what_is_no_length_of_time_is_told(text: str) -> None:
    """One that is longer than any calendar, too."""
    with pytest.raises(ConfigError) as raised:
        span_of(text)
    assert (f"--max-wait {text!r} is no length of time", "Write it as 90s, 30m, 2h or 1d.") == (
        raised.value.message,
        raised.value.advice,
    )


def written(folder: Path, content: bytes) -> Path:
    path = folder / "map.toml"
    path.write_bytes(content)
    return path


def test_a_map_names_fields(tmp_path: Path) -> None:
    """An empty one leaves a column out; headings are taken as they are."""
    path = written(tmp_path, b'[columns]\n"E-Mail" = "email"\n"" = ""\n" x" = "firstName"\n')
    assert {"E-Mail": "email", "": "", " x": "firstName"} == mapping_in(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[columns\n", "is no TOML: "),
        (b"[columns]\na = '\xff'\n", "is no TOML: "),
        (b"", "has to hold the table [columns] and nothing else"),
        (b"columns = 3\n", "has to hold the table [columns] and nothing else"),
        (b"[columns]\n[more]\n", "has to hold the table [columns] and nothing else"),
        (b"[columns]\na = 'email'\nb = 3\n", "gives 'b' something else than the name of a field"),
    ],
)
def test_a_map_that_is_none_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    """With its path and what is wrong."""
    path = written(tmp_path, content)
    with pytest.raises(ConfigError) as raised:
        mapping_in(path)
    assert raised.value.message.startswith(f"the map {path} {message}")


def test_a_map_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """One that is not there, a folder."""
    for path, why in ((tmp_path / "no.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"cannot be read: {why}"):
            mapping_in(path)


def test_what_is_wrong_is_told_by_the_name_it_was_given() -> None:
    """Which is an option of the command line, or a key of a file."""
    with pytest.raises(ConfigError, match=r"^max_failures '1' is no share$"):
        share_of("1", "max_failures")
    with pytest.raises(ConfigError, match=r"^max_wait '2' is no length of time$"):
        span_of("2", "max_wait")
