"""Imports as an engine opens them."""

import os
from dataclasses import replace
from pathlib import Path

from syncengine.config import ImportSettings
from syncengine.imports.asked import Asked
from syncengine.imports.target import Kind, Target
from tests.unit.exports.opened import opened, settings_for
from tests.virtual import virtual


@virtual
async def test_two_instances_in_one_state_folder_leave_each_other_their_working_files(tmp_path: Path) -> None:
    """An import clears away what is nobody's, and what another instance has left is its own, however old."""
    settings = settings_for(tmp_path, imports=ImportSettings(path=tmp_path / "accounts"))
    other = replace(settings, instance=replace(settings.instance, name="other"))
    async with opened(settings) as here:
        await here.engine.imports()
    (left,) = (settings.state.path / "imports").iterdir()
    work = left / "20260101-000000-abcd"
    work.mkdir()
    os.utime(work, (0, 0))
    (tmp_path / "people.csv").write_text("email\na@x.example\n")
    target = Target(kind=Kind.LEADS, keys=("email",))
    async with opened(other) as here:
        desk = await here.engine.imports()
        async with desk.plan(Asked(target=target, files=(str(tmp_path / "people.csv"),))) as (plan, _):
            assert "done" == (await desk.run(plan)).outcome
    assert (True, settings.instance.name) == (work.is_dir(), left.name)
