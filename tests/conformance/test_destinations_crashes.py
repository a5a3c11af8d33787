"""A process that is killed in the middle leaves a window applied or not, never in between: every destination."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from syncengine.destinations import MARKS, Applied, Marks, Snapshot, Window
from syncengine.errors import FileDamaged
from tests.conformance.places import Place, Places
from tests.conformance.rows import Row
from tests.conformance.windows import PEOPLE, at, batch, people, window

# Applies one window, and kills itself at the n-th step inside the destination: before or after a call that it makes,
# to Python or to C. Says how many steps there were when it lived.
KILLED = """
import os, signal, sys
from pathlib import Path
{opening}
import syncengine.destinations
from tests.conformance.test_destinations_crashes import step_window

last, folder, steps = int(sys.argv[2]), str(Path(syncengine.destinations.__file__).parent), 0

def step(frame, event, argument):
    global steps
    caller = frame if event.startswith("c_") else frame.f_back
    if caller is not None and caller.f_code.co_filename.startswith(folder):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

window = step_window(int(sys.argv[1]))
sys.setprofile(step)
destination.apply(window)
sys.setprofile(None)
print(steps)
"""
# More of them with DEATH_POINTS=10.
POINTS = int(os.environ.get("DEATH_POINTS", "6"))


def step_window(number: int) -> Window:
    """The n-th window of a night: a new row, a changed one, one that stays, one that is gone, a mark and a column."""
    rows = [(number, at(1), "new"), (number - 1, at(number), "changed"), (0, at(1), "stays")]
    return window(
        f"w{number}",
        *rows,
        day=number,
        read=number,
        snapshot=Snapshot(),
        can_be_marked=True,
        marks=Marks("people", [batch(MARKS, (number, at(number), number + 1))]),
    )


def killed(place: Place, number: int, step: int) -> subprocess.CompletedProcess[str]:
    """Apply the n-th window in a process of its own that dies at a step, unless that is 0."""
    command = [sys.executable, "-c", KILLED.format(opening=place.opening), str(number), str(step)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)


def test_a_kill_at_any_step_leaves_all_or_nothing(kind: str, places: Places, tmp_path: Path) -> None:
    """After each kill the table is as before the window or as after it, as the ledger says, and the window goes in."""
    folders = [tmp_path / name for name in ("measured", "reference", "killed")]
    for folder in folders:
        folder.mkdir()
    measured, reference, place = (places.make(kind, folder) for folder in folders)
    measured.open().apply(step_window(1))
    steps = int(killed(measured, 2, 0).stdout)
    deaths, before = 0, list[Row]()
    for point in range(1, POINTS + 1):
        reference.open().apply(step_window(point))
        after = reference.rows("people")

        death = killed(place, point, max(1, steps * point // POINTS))
        deaths += death.returncode == -signal.SIGKILL

        is_held = place.open().holds("acme", "people", f"w{point}")
        assert (after if is_held else before) == place.rows("people"), death.stderr
        assert is_held is place.open().apply(step_window(point)).already
        assert after == place.rows("people")
        before = after

    assert deaths >= POINTS - 1


def test_a_death_while_rows_are_read_is_as_if_it_never_began(place: Place) -> None:
    """However many batches have been read when their source fails, the next try finds the table as it was."""
    for good in range(3):

        def torn(good: int = good) -> Iterator[pa.RecordBatch]:
            for number in range(good):
                yield batch(PEOPLE, (number, at(1), "a"))
            raise FileDamaged("torn")

        with pytest.raises(FileDamaged):
            place.open().apply(window("w1", batches=torn()))
        assert [] == place.rows("people")

    assert Applied(inserted=1) == place.open().apply(window("w1", (1, at(1), "a")))
    assert [(1, at(1), "a")] == people(place)


def test_the_same_destination_goes_on_after_a_failure(place: Place) -> None:
    """What failed half-way is not left over in the destination itself."""
    destination = place.open()

    def torn() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(1), "a"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        destination.apply(window("w1", batches=torn()))

    assert Applied(inserted=1) == destination.apply(window("w1", (1, at(1), "a")))
    assert [(1, at(1), "a")] == people(place)
