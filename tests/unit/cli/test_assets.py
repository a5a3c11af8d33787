"""`syncengine assets`: which folder and kinds are meant, and how each outcome ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from syncengine.asset_reports import AssetChange, AssetsDiff, AssetsReport
from syncengine.assets.kinds import KINDS
from syncengine.cli.assets import Chosen, asked_for, diff, diff_code, missing_code, pull, pull_code
from syncengine.config import AssetSettings, Settings, load
from syncengine.config.streams import ASSET_KINDS
from syncengine.errors import ConfigError
from tests.unit.cli.live import configured

REPORT = AssetsReport("assets", "done", 3, {}, 1.0, (), ())
CHANGE = AssetChange("form", 1, "Hi", ("added",), "Hi.form", "", ())
DIFF = AssetsDiff("a", "b", ())


@pytest.mark.parametrize(
    ("outcome", "errors", "code"),
    [("done", (), 0), ("partial", (), 1), ("partial", ("CallRejected",), 1), ("partial", ("PermissionDenied",), 3)],
)
def test_a_pull_ends_with_what_is_missing(outcome: str, errors: tuple[str, ...], code: int) -> None:
    """Only what running again does not mend has a code of its own."""
    assert code == pull_code(replace(REPORT, outcome=outcome, errors=errors))  # type: ignore[arg-type]  # a word of them
    assert outcome == "done" or code == missing_code(errors)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (DIFF, 0),
        (replace(DIFF, changes=(CHANGE,)), 1),
        (replace(DIFF, problems=("form: refused",)), 6),
        (replace(DIFF, changes=(CHANGE,), problems=("form: refused",), errors=("CallRejected",)), 6),
        (replace(DIFF, problems=("form: denied",), errors=("PermissionDenied", "CallRejected")), 3),
    ],
)
def test_one_means_that_something_differs_and_nothing_else(found: AssetsDiff, code: int) -> None:
    """A pipeline must not take trouble for a difference, nor for none."""
    assert code == diff_code(found)


def settings_with(folder: Path, **assets: object) -> Settings:
    """A configuration with these keys under [assets]."""
    configured(folder, "http://127.0.0.1:1")
    return replace(load(folder / "syncengine.toml"), assets=AssetSettings(**assets))  # type: ignore[arg-type]  # as given


def test_the_folder_is_the_one_that_is_named_else_the_configured_one(tmp_path: Path) -> None:
    """With neither there is nothing to be done, and the sentence says both ways out."""
    settings = settings_with(tmp_path, path=tmp_path / "assets")
    assert tmp_path / "assets" == asked_for(settings, None, Chosen())().folder
    assert Path("other") == asked_for(settings, Path("other"), Chosen())().folder
    with pytest.raises(ConfigError, match="no folder for the assets is named") as raised:
        asked_for(settings_with(tmp_path), None, Chosen())
    assert "assets pull DIR" in raised.value.advice


def test_kinds_are_those_that_are_named_else_the_configured_ones(tmp_path: Path) -> None:
    """Folders always come along: the others lie in them."""
    settings = settings_with(tmp_path, path=tmp_path, kinds=("email", "form"))
    assert ("folder", "email", "form") == asked_for(settings, None, Chosen())().kinds
    assert ("folder", "snippet") == asked_for(settings, None, Chosen(only=("snippet",)))().kinds
    assert ("folder", "form") == asked_for(settings, None, Chosen(but=("email",)))().kinds
    assert tuple(KINDS) == asked_for(settings_with(tmp_path, path=tmp_path), None, Chosen())().kinds
    with pytest.raises(ConfigError, match="'mail' is no kind of asset"):
        asked_for(settings, None, Chosen(only=("mail",)))


def test_the_configuration_knows_every_kind() -> None:
    """It is read without what brings them."""
    assert tuple(KINDS) == ASSET_KINDS


def test_what_excludes_each_other_is_said_before_anything_is_read() -> None:
    """Neither a configuration nor a folder is needed to see it."""
    with pytest.raises(ConfigError, match="--full and --quick exclude each other"):
        pull(full=True, quick=True)
    with pytest.raises(ConfigError, match="--against and --live exclude each other"):
        diff(Path("a"), against=Path("b"), live=True)
    with pytest.raises(ConfigError, match="a folder that is not named"):
        diff(against=Path("b"))
