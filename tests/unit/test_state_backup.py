"""A backup of the state folder: what is in it, that it is private, and that it is whole or not there."""

import tarfile
from pathlib import Path

import pytest

from syncengine.errors import ConfigError, NoSpace, StateUnusable
from syncengine.state_backup import _add, _Ended, _filled, backup
from syncengine.state_verify import verify
from tests.unit.exports.opened import opened, settings_for
from tests.unit.jobs.test_full_disk import disk  # noqa: F401  # a fixture
from tests.unit.test_state_verify import content, made, with_import
from tests.virtual import virtual


def names(path: Path) -> dict[str, int]:
    """What is in an archive, with its mode."""
    with tarfile.open(path) as archive:
        return {each.name: each.mode for each in archive.getmembers()}


def unpacked(path: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@virtual
async def test_a_backup_holds_what_is_nowhere_else(tmp_path: Path) -> None:
    """Both databases and the files of unfinished imports, beside an open engine; nothing of the spool, or of others."""
    settings, target = settings_for(tmp_path), tmp_path / "backup.tar.gz"
    state = settings.state.path
    async with opened(settings) as here:
        await here.engine.sync()
        run = await with_import(here)
        made(state / "imports" / "acme" / run)
        (state / "imports" / "acme" / run / "half.ipc.part").write_text("half")
        made(state / "imports" / "acme" / "new-abc")
        made(state / "assets" / "acme" / "live-0011")
        (state / "spool" / "acme" / "w.1.csv").write_text("id\n1\n")
        before = content(state)
        report = await backup(settings, target)
        assert before == content(state)
    assert {
        "journal.db",
        "slots.db",
        "imports",
        "imports/acme",
        f"imports/acme/{run}",
        f"imports/acme/{run}/rows.csv",
        "assets",
        "assets/acme",
    } == names(target).keys()
    assert ["journal.db", "slots.db", f"imports/acme/{run}"] == [each.name for each in report.parts]
    assert (str(target), target.stat().st_size, ()) == (report.path, report.bytes, report.notes)
    assert (0o600, {"state", "backup.tar.gz", "warehouse.duckdb"}) == (
        target.stat().st_mode & 0o777,
        names_in(tmp_path),
    )

    unpacked(target, tmp_path / "restored")
    there = settings_for(tmp_path / "restored")
    (tmp_path / "restored").rename(tmp_path / "state2")
    restored = settings_for(tmp_path, state=type(there.state)(path=tmp_path / "state2"))
    report_of_it = await verify((restored,), destination=True)
    assert (True, 7, 6) == (report_of_it.whole, report_of_it.jobs, report_of_it.windows)


@virtual
async def test_an_unfinished_import_without_files_is_noted(tmp_path: Path) -> None:
    """What cannot be taken along is said; the rest is in the backup."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        run = await with_import(here)
        report = await backup(settings, tmp_path / "backup.tar.gz")
    assert (f"Import {run} of acme is unfinished, and its working files are gone.",) == report.notes


@virtual
async def test_an_import_that_ends_meanwhile_has_all_copied_again(tmp_path: Path) -> None:
    """Its files went after the journal was copied: before the first of them is read, or between two of them."""
    settings = settings_for(tmp_path)
    (tmp_path / "room").mkdir()
    async with opened(settings) as here:
        run = await with_import(here)
        with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
            with pytest.raises(_Ended):
                _filled(archive, settings.state.path, tmp_path / "room", is_last=False)
            with pytest.raises(_Ended):
                _add(archive, settings.state.path, f"imports/acme/{run}", {"imports", "imports/acme"})


@virtual
async def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Unless the user says otherwise; the new one is private then too."""
    settings, target = settings_for(tmp_path), tmp_path / "backup.tar.gz"
    target.write_text("precious")
    async with opened(settings):
        with pytest.raises(ConfigError, match="exists already"):
            await backup(settings, target)
        assert "precious" == target.read_text()
        await backup(settings, target, force=True)
    assert {"journal.db", "slots.db"} == names(target).keys()
    assert 0o600 == target.stat().st_mode & 0o777


@virtual
async def test_what_cannot_be_backed_up_is_refused(tmp_path: Path) -> None:
    """Nothing there yet, a folder that does not exist, a journal that is damaged: no file comes of it."""
    settings, target = settings_for(tmp_path), tmp_path / "backup.tar.gz"
    with pytest.raises(StateUnusable, match="there is no journal"):
        await backup(settings, target)
    async with opened(settings) as here:
        await here.engine.sync()
        with pytest.raises(ConfigError, match="cannot be written: No such file"):
            await backup(settings, tmp_path / "nowhere" / "backup.tar.gz")
    journal = settings.state.path / "journal.db"
    good = journal.read_bytes()
    for page in (2, 5):
        journal.write_bytes(good[: page * 4096] + b"\xa5" * 4096 + good[(page + 1) * 4096 :])
        with pytest.raises(StateUnusable, match="is damaged") as refused:
            await backup(settings, target)
        assert "put a backup" in refused.value.advice
    assert {"state", "warehouse.duckdb"} == names_in(tmp_path)


@virtual
async def test_a_full_disk_leaves_no_half_of_a_backup(tmp_path: Path, disk: Path) -> None:  # noqa: F811  # the fixture
    """NoSpace, wherever it strikes, and the disk is as it was."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
        for free in (0, 30_000, 90_000, 122_000):
            (disk / "filler").write_bytes(bytes(204_800 - free))
            with pytest.raises(NoSpace):
                await backup(settings, disk / "backup.tar.gz")
            assert {"filler"} == names_in(disk)
