"""Whatever order windows commit in, the table is the same at the end: every destination."""

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.destinations import Window
from tests.conformance.places import Places
from tests.conformance.windows import at, marking, window

# More of them with ORDERS=20.
EXAMPLES = int(os.environ.get("ORDERS", "8"))
HOURS = st.integers(0, 2)  # few instants, so that files and rows tie
KEYS = st.integers(1, 3)
ROWS = st.lists(st.tuples(KEYS, st.one_of(st.none(), HOURS), st.sampled_from(["a", "b", None])))
FILES = st.lists(st.tuples(HOURS, ROWS), min_size=2, max_size=3)
MARK = st.tuples(KEYS, st.one_of(st.none(), HOURS), st.one_of(st.none(), KEYS)).filter(
    lambda mark: mark[1:] != (None, None)
)
MARKED = st.lists(MARK, max_size=4)

File = tuple[int, list[tuple[int, int | None, str | None]]]
Mark = tuple[int, int | None, int | None]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES, marks=st.lists(MARKED, max_size=2), hard=st.booleans(), data=st.data())
def test_any_order_of_commits_ends_in_the_same_table(
    kind: str, places: Places, files: list[File], marks: list[list[Mark]], hard: bool, data: st.DataObject
) -> None:
    """Permuting windows and marks changes neither rows nor their bookkeeping; each file's rows are all counted.

    Except for when a row last changed: that is about this table's own history.
    """
    windows = [_people(number, read, rows, hard) for number, (read, rows) in enumerate(files)]
    windows += [
        marking(
            f"m{number}", *((key, _hour(deleted), merged) for key, deleted, merged in each), read=9, hard_delete=hard
        )
        for number, each in enumerate(marks)
    ]
    tables = []
    for order in (windows, data.draw(st.permutations(windows))):
        with tempfile.TemporaryDirectory() as folder:
            place = places.make(kind, Path(folder))
            for each in order:
                rows = sum(part.num_rows for part in each.batches)
                assert place.open().apply(each).rows == rows
            tables.append([_without_history(row) for row in place.rows("people")])

    assert tables[1] == tables[0]


def _people(number: int, read: int, rows: list[tuple[int, int | None, str | None]], hard: bool) -> Window:
    values = [(key, _hour(hour), name) for key, hour, name in rows]
    return window(f"w{number}", *values, day=number, read=read, can_be_marked=True, hard_delete=hard)


def _hour(hour: int | None) -> datetime | None:
    return None if hour is None else at(hour)


def _without_history(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "_changed_at"}
