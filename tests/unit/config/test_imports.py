"""The table [imports]."""

from pathlib import Path

import pytest

from syncengine.config import parse
from syncengine.errors import ConfigError

GOOD = """\
[instance]
name = "acme"
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "a secret"

[sync]
start = 2023-01-01

[imports]
"""


def test_without_the_table_everything_has_its_default(tmp_path: Path) -> None:
    """Accounts beside the configuration, ten megabytes a file, an hour until a lost chunk has run, no ingestion."""
    settings = parse(GOOD, path=tmp_path / "syncengine.toml").imports
    assert (tmp_path / "imports", 10_000_000, 60.0, False) == (
        settings.path,
        settings.file_bytes,
        settings.drain_minutes,
        settings.ingestion,
    )


def test_each_key_is_taken(tmp_path: Path) -> None:
    """A path is meant from the configuration's folder, an absolute one as it is."""
    more = 'path = "accounts"\nfile_bytes = 100_000\ndrain_minutes = 90.5\ningestion = true\n'
    settings = parse(GOOD + more, path=tmp_path / "syncengine.toml").imports
    assert (tmp_path / "accounts", 100_000, 90.5, True) == (
        settings.path,
        settings.file_bytes,
        settings.drain_minutes,
        settings.ingestion,
    )
    absolute = parse(f'{GOOD}path = "{tmp_path}/elsewhere"\n', path=Path("syncengine.toml")).imports
    assert tmp_path / "elsewhere" == absolute.path


def test_the_environment_goes_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every table."""
    monkeypatch.setenv("SYNCENGINE_IMPORTS__DRAIN_MINUTES", "5")
    assert 5.0 == parse(f"{GOOD}drain_minutes = 90\n", path=tmp_path / "syncengine.toml").imports.drain_minutes


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("file_bytes = 99_999", "imports.file_bytes takes a number from 100,000 to 10,000,000, not 99,999"),
        ("file_bytes = 10_000_001", "imports.file_bytes takes a number from 100,000 to 10,000,000, not 10,000,001"),
        ("drain_minutes = 0", "imports.drain_minutes takes a number from 1 to 1,440, not 0"),
        ("drain_minutes = 1_441", "imports.drain_minutes takes a number from 1 to 1,440, not 1,441"),
        ('ingestion = "often"', "imports.ingestion takes "),
        ("pth = 'x'", 'imports.pth is not a key of [imports] (did you mean "path"?)'),
        (
            'ingestion_url = "http://mkto-ingestion-api.adobe.io"',
            "imports.ingestion_url must be https://mkto-ingestion-api.adobe.io",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, problem: str) -> None:
    """With key and what is taken."""
    with pytest.raises(ConfigError) as raised:
        parse(f"{GOOD}{line}\n", path=Path("syncengine.toml"))
    (told,) = raised.value.problems
    assert told.startswith(f"line 11: {problem}")
