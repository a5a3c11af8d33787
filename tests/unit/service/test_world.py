"""What the engines of one daemon share: one turn at each DuckDB file."""

from functools import partial
from pathlib import Path
from typing import Any

from syncengine.choices import Outside, open_destination
from syncengine.config import DestinationSettings
from syncengine.destinations.duckdb import DuckDB
from syncengine.destinations.parquet import Parquet
from syncengine.service.world import shared
from tests.unit.exports.opened import settings_for


def turn_of(outside: Outside, path: Path, folder: Path) -> Any:
    destination = outside.destination(settings_for(folder, destination=DestinationSettings(path=path)))
    assert isinstance(destination, DuckDB)
    destination.close()
    return destination._turn


def test_all_who_work_on_one_file_take_turns(tmp_path: Path) -> None:
    """By whatever name it is called; another file has a turn of its own."""
    outside = shared(Outside())
    (tmp_path / "link").symlink_to(tmp_path)
    one, same, linked, other = (
        turn_of(outside, tmp_path / path, tmp_path)
        for path in ("a.duckdb", "x/../a.duckdb", "link/a.duckdb", "b.duckdb")
    )
    assert one is same is linked
    assert one is not other


def test_a_turn_can_be_taken_again_by_who_has_it(tmp_path: Path) -> None:
    """Closing within work is no deadlock."""
    turn = turn_of(shared(Outside()), tmp_path / "a.duckdb", tmp_path)
    with turn:
        assert turn.acquire(timeout=1.0)
        turn.release()


def test_daemons_of_one_process_share_nothing(tmp_path: Path) -> None:
    """The turns belong to the outside that was given."""
    path = tmp_path / "a.duckdb"
    assert turn_of(shared(Outside()), path, tmp_path) is not turn_of(shared(Outside()), path, tmp_path)


def test_other_destinations_are_opened_as_ever(tmp_path: Path) -> None:
    """They bear several hands."""
    chosen = DestinationSettings(type="parquet", path=tmp_path / "there")
    assert isinstance(shared(Outside()).destination(settings_for(tmp_path, destination=chosen)), Parquet)


def test_an_outside_with_destinations_of_its_own_stays_as_it_is() -> None:
    """Whoever gives them sees to turns."""
    given = Outside(destination=partial(open_destination, turn=None))
    assert given is shared(given)
