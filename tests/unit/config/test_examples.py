"""The files in configs/ and what `init` writes are documentation: they are held equal to the code."""

import re
import tomllib
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from syncengine.cli.init import TEMPLATE
from syncengine.config import Settings, parse
from syncengine.config.problems import ATTRIBUTES, NAMED, TABLES

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MARKETO_CLIENT_ID", "MARKETO_CLIENT_SECRET", "SANDBOX_CLIENT_SECRET"):
        monkeypatch.setenv(name, "set")


def default_of(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def tables() -> dict[str, type]:
    hints = get_type_hints(Settings)
    return {name: NAMED.get(name) or hints[ATTRIBUTES[name]] for name in TABLES}


@pytest.mark.parametrize("name", ["reference.toml", "nightly.toml", "sandbox.toml"])
def test_examples_can_be_read(name: str) -> None:
    """Every example is a configuration as it stands, also when others can read it."""
    path = CONFIGS / name
    assert path.name == parse(path.read_text(), path=path, shared=True).source.name


def test_init_writes_a_configuration() -> None:
    """The template needs its variables and nothing else."""
    assert "marketo" == parse(TEMPLATE, path=Path("x.toml"), shared=True).instance.name


@pytest.mark.parametrize("table", TABLES)
def test_reference_has_every_key_with_its_default(table: str) -> None:
    """reference.toml shows each key with its default and no other; a key without a value is commented out."""
    text = (CONFIGS / "reference.toml").read_text()
    shown = tomllib.loads(text)[table]
    shown = next(iter(shown.values())) if table in NAMED else shown
    owner = tables()[table]
    assert is_dataclass(owner)
    known = {field.name: default_of(field) for field in fields(owner)}
    optional = {name for name, default in known.items() if default is None}
    assert set(known) - optional == set(shown)
    for name in optional:
        assert re.search(rf"^# {name} = ", text, re.MULTILINE), name
    for name, value in shown.items():
        if known[name] is not MISSING:
            expected = list(known[name]) if isinstance(known[name], tuple) else known[name]
            assert (str(expected) if isinstance(expected, Path) else expected) == value
