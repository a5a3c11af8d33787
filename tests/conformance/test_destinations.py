"""What every destination must do with windows, whatever it is made of."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.destinations import Applied, Destination, Interval, Standing, Window
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import ConfigError, DestinationFenced, DestinationUnavailable, FileDamaged
from syncengine.schema import Field, FieldType, Schema

DAY = datetime(2024, 3, 1, tzinfo=UTC)

ID = Field("id", FieldType.INTEGER)
UPDATED = Field("updatedAt", FieldType.TIMESTAMP)
NAME = Field("name", FieldType.TEXT)
PEOPLE = Schema((ID, UPDATED, NAME), ("id",))

Row = dict[str, Any]


class Place(Protocol):
    """A kind of destination under test: how to open it, and how to see it with other eyes."""

    path: Path
    opening: str  # statements that bind `destination` on `path`, with little memory, in another process

    def open(self) -> Destination:
        """A destination on the same data each time."""
        ...

    def rows(self, table: str) -> list[Row]:
        """The table's rows as another program reads them, in order of their first column."""
        ...

    def occupied(self) -> AbstractContextManager[str]:
        """Hold it from another process; gives words that name the holder."""
        ...


class DuckDBFile:
    """A DuckDB file, and DuckDB itself to look at it."""

    opening = "from syncengine.destinations.duckdb import DuckDB; destination = DuckDB(path, memory_bytes=160_000_000)"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"

    def open(self) -> Destination:
        return DuckDB(self.path, lock_wait_seconds=1, pause=lambda _: None)

    def rows(self, table: str) -> list[Row]:
        with duckdb.connect(str(self.path), read_only=True) as db:
            db.execute("SET TimeZone = 'UTC'")
            name = table.replace('"', '""')
            relation = db.sql(f'SELECT * FROM marketo."{name}" ORDER BY ALL')
            found: list[Row] = relation.to_arrow_table().to_pylist()
            return found

    @contextmanager
    def occupied(self) -> Iterator[str]:
        script = "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
        command = [sys.executable, "-c", script, str(self.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            yield f"PID {holder.pid}"
            holder.communicate()


PLACES: dict[str, type[DuckDBFile]] = {"duckdb": DuckDBFile}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each kind of destination in turn, empty."""
    return PLACES[request.param](tmp_path)


def batch(schema: Schema, *rows: tuple[Any, ...]) -> pa.RecordBatch:
    """Rows as values in the schema's order."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema.fields)
    arrow = schema.arrow()
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, arrow, strict=True)], schema=arrow
    )


def window(
    window_id: str = "w1",
    *rows: tuple[Any, ...],
    schema: Schema = PEOPLE,
    day: int = 0,
    read: int = 0,
    epoch: int = 1,
    instance: str = "acme",
    stream: str = "people",
    newer_by: str | None = "updatedAt",
    batches: Iterable[pa.RecordBatch] | None = None,
) -> Window:
    """A window of the day `day`, whose file was written `read` hours into a later one."""
    return Window(
        instance=instance,
        stream=stream,
        id=window_id,
        epoch=epoch,
        start=DAY + timedelta(days=day),
        end=DAY + timedelta(days=day + 1),
        sha256="0" * 64,
        read_at=DAY + timedelta(days=90, hours=read),
        schema=schema,
        newer_by=newer_by,
        batches=[batch(schema, *rows)] if batches is None else batches,
    )


def at(hour: int) -> datetime:
    """An instant to be updated at."""
    return DAY + timedelta(hours=hour)


def people(place: Place) -> list[tuple[Any, ...]]:
    """Id, hour of the update and name of each person in the table."""
    return [(row["id"], row["updatedAt"], row["name"]) for row in place.rows("people")]


VALUES: dict[FieldType, list[Any]] = {
    FieldType.TEXT: [
        "null",
        "",
        None,
        " ",
        "comma, \"quote\" 'single' \\ back",
        "two\nlines\r\n\rend",
        "\u2028\u2029\x85\x0b\x0c",
        "nul\x00inside",
        "日本 🎉 e\u0301 \u202e\ufeff",
        "x" * 200_000,
        "; DROP TABLE people; --",
    ],
    FieldType.INTEGER: [0, -1, 2**63 - 1, -(2**63), None],
    FieldType.FLOAT: [0.1, -1e300, 5e-324, None],
    FieldType.BOOLEAN: [True, False, None],
    FieldType.DATE: [date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31), None],
    FieldType.TIMESTAMP: [datetime(1, 1, 1, tzinfo=UTC), DAY + timedelta(microseconds=1), None],
    FieldType.JSON: ['{"a": [1,  "\\u0000", null]}', "null", '""', None],
}


@pytest.mark.parametrize("kind", FieldType)
def test_values_arrive_as_they_are(place: Place, kind: FieldType) -> None:
    """Every type comes back cell for cell, the word null, the empty string and NULL apart."""
    schema = Schema((ID, Field("value", kind)), ("id",))
    rows = list(enumerate(VALUES[kind]))

    applied = place.open().apply(window("w1", *rows, schema=schema, newer_by=None))

    assert applied == Applied(inserted=len(rows))
    assert [(row["id"], row["value"]) for row in place.rows("people")] == rows


@pytest.mark.parametrize("name", ["rowid", "rowId", "ROWID", "_read_at", "_window", "seq", "verdict", "target", "c0"])
def test_a_field_may_have_any_name(place: Place, name: str) -> None:
    """Names that mean something to the database or to us are a field's like any other: no row is lost or doubled."""
    schema = Schema((ID, UPDATED, Field(name, FieldType.INTEGER)), ("id",))
    before = [(number, at(1), number % 3 or None) for number in range(40)]
    after = [(number, at(2), 7) for number in range(10)]

    place.open().apply(window("w1", *before, schema=schema))
    applied = place.open().apply(window("w2", *after, schema=schema, read=1))

    assert Applied(changed=10) == applied
    assert [row["id"] for row in place.rows("people")] == list(range(40))
    values = [set(row.values()) for row in place.rows("people")]
    assert all(7 in each for each in values[:10])


def test_a_reread_window_changes_only_what_changed(place: Place) -> None:
    """New, changed and unchanged rows are told apart and counted, across batches."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), None), (3, at(1), "")))
    rows = [batch(PEOPLE, (1, at(1), "a"), (2, at(2), "b")), batch(PEOPLE, (3, at(1), None), (4, at(1), "d"))]

    applied = place.open().apply(window("w2", read=1, batches=rows))

    assert applied == Applied(inserted=1, changed=2, unchanged=1)
    assert people(place) == [(1, at(1), "a"), (2, at(2), "b"), (3, at(1), None), (4, at(1), "d")]


def test_of_a_key_repeated_in_a_file_the_newest_row_stays(place: Place) -> None:
    """The latest update wins, the later row among equals, and the others count as unchanged."""
    rows = [
        batch(PEOPLE, (1, at(2), "newest"), (1, at(1), "older"), (2, at(1), "first"), (3, None, "undated")),
        batch(PEOPLE, (2, at(1), "last"), (3, at(1), "dated"), (1, None, "undated")),
    ]

    applied = place.open().apply(window("w1", batches=rows))

    assert applied == Applied(inserted=3, unchanged=4)
    assert people(place) == [(1, at(2), "newest"), (2, at(1), "last"), (3, at(1), "dated")]


def test_an_older_file_never_replaces_a_newer_row(place: Place) -> None:
    """Rows behind what is there are counted as outdated, by the row's update first and the file's age second."""
    place.open().apply(window("new", (1, at(5), "new"), (2, at(5), "new"), (3, at(5), "new"), read=5))

    applied = place.open().apply(window("old", (1, at(4), "old"), (2, at(6), "newer"), (3, at(5), "old"), read=1))

    assert applied == Applied(changed=1, outdated=2)
    assert [name for *_, name in people(place)] == ["new", "newer", "new"]


def test_without_a_column_to_go_by_the_later_file_wins(place: Place) -> None:
    """Streams whose rows carry no update keep what the later export says."""
    place.open().apply(window("later", (1, at(1), "later"), read=2, newer_by=None))

    applied = place.open().apply(window("earlier", (1, at(9), "earlier"), read=1, newer_by=None))

    assert applied == Applied(outdated=1)
    assert people(place) == [(1, at(1), "later")]


def test_a_key_may_have_several_columns(place: Place) -> None:
    """Rows are the same only when all columns of the key are."""
    schema = Schema((ID, NAME, Field("score", FieldType.INTEGER)), ("id", "name"))
    place.open().apply(window("w1", (1, "a", 1), (1, "b", 2), schema=schema, newer_by=None))

    applied = place.open().apply(window("w2", (1, "b", 3), (2, "a", 4), schema=schema, newer_by=None, read=1))

    assert applied == Applied(inserted=1, changed=1)
    assert [(row["id"], row["name"], row["score"]) for row in place.rows("people")] == [
        (1, "a", 1),
        (1, "b", 3),
        (2, "a", 4),
    ]


FILES = st.lists(
    st.tuples(
        st.integers(0, 2),  # few instants, so that files and rows tie
        st.lists(
            st.tuples(st.integers(1, 3), st.one_of(st.none(), st.integers(0, 2)), st.sampled_from(["a", "b", None]))
        ),
    ),
    min_size=2,
    max_size=3,
)


@pytest.mark.parametrize("kind", PLACES)
@settings(max_examples=20, deadline=None)
@given(files=FILES, data=st.data())
def test_any_order_of_commits_ends_in_the_same_table(
    kind: str, files: list[tuple[int, list[tuple[int, int | None, str | None]]]], data: st.DataObject
) -> None:
    """Permuting the windows changes neither the rows nor their bookkeeping; each file's rows are all counted."""
    windows = [
        window(
            f"w{number}",
            *((key, None if hour is None else at(hour), name) for key, hour, name in rows),
            day=number,
            read=read,
        )
        for number, (read, rows) in enumerate(files)
    ]
    tables = []
    for order in (windows, data.draw(st.permutations(windows))):
        with tempfile.TemporaryDirectory() as folder:
            place = PLACES[kind](Path(folder))
            for each in order:
                rows = sum(part.num_rows for part in each.batches)
                assert place.open().apply(each).rows == rows
            tables.append(place.rows("people"))

    assert tables[1] == tables[0]


def test_a_window_is_applied_once(place: Place) -> None:
    """A window that the ledger holds is answered without reading its rows."""

    first = place.open().apply(window("w1", (1, at(1), "a")))
    unread = iter([batch(PEOPLE, (2, at(1), "b"))])
    again = place.open().apply(window("w1", epoch=2, batches=unread))

    assert (first.already, again) == (False, Applied(already=True))
    assert len(list(unread)) == 1
    assert people(place) == [(1, at(1), "a")]


def test_a_failure_while_reading_leaves_nothing(place: Place) -> None:
    """What the rows' source raises comes out as it is, and neither rows, columns nor ledger have moved."""
    place.open().apply(window("w1", (1, at(1), "a")))
    wider = Schema((*PEOPLE.fields, Field("extra", FieldType.TEXT)), ("id",))

    def torn() -> Iterator[pa.RecordBatch]:
        yield batch(wider, (1, at(2), "changed", "x"), (2, at(2), "new", "y"))
        raise FileDamaged("torn")

    before = place.rows("people")
    with pytest.raises(FileDamaged, match="torn"):
        place.open().apply(window("w2", schema=wider, day=1, batches=torn()))

    assert place.rows("people") == before
    assert place.open().holds("acme", "people", "w2") is False
    assert place.open().standing("acme", "people") == Standing((Interval(at(0), at(24)),), 1)


def test_a_row_without_its_key_is_refused(place: Place) -> None:
    """A row that could never be found again is a fault of the caller, and nothing is applied."""
    with pytest.raises(ValueError, match="has no id"):
        place.open().apply(window("w1", (1, at(1), "a"), (None, at(1), "b")))

    assert place.open().standing("acme", "people") == Standing()


def test_an_older_epoch_is_refused(place: Place) -> None:
    """Once a later run has committed, an earlier one may not, not even a window that is known."""
    place.open().apply(window("w1", (1, at(1), "a"), epoch=1))
    place.open().apply(window("w2", (1, at(2), "b"), epoch=2, day=1))

    for late in (window("w3", (1, at(3), "c"), epoch=1, day=2), window("w1", (1, at(1), "a"), epoch=1)):
        with pytest.raises(DestinationFenced):
            place.open().apply(late)

    assert people(place) == [(1, at(2), "b")]


def test_streams_fence_apart(place: Place) -> None:
    """An epoch counts for its own stream."""
    place.open().apply(window("w1", (1, at(1), "a"), epoch=7))

    assert place.open().apply(window("w1", (1, at(1), "a"), epoch=1, stream="others")) == Applied(inserted=1)


def test_a_new_field_becomes_a_column(place: Place) -> None:
    """Rows that were there hold NULL in it, and the answer names it."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    wider = Schema((ID, Field("score", FieldType.INTEGER), UPDATED, NAME), ("id",))

    applied = place.open().apply(window("w2", (2, 7, at(1), "b"), schema=wider, read=1))

    assert applied == Applied(changed=1, columns_added=("score",))
    assert [(row["id"], row["score"]) for row in place.rows("people")] == [(1, None), (2, 7)]


def test_a_field_that_is_gone_keeps_its_column(place: Place) -> None:
    """Rows written without a field keep the value it had; new ones have none."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    narrower = Schema((ID, UPDATED), ("id",))

    applied = place.open().apply(window("w2", (1, at(1)), (2, at(2)), (3, at(2)), schema=narrower, read=1))

    assert applied == Applied(inserted=1, changed=1, unchanged=1)
    assert people(place) == [(1, at(1), "a"), (2, at(2), "b"), (3, at(2), None)]


@pytest.mark.parametrize(
    ("was", "old", "becomes", "new", "reads"),
    [
        (FieldType.INTEGER, 3, FieldType.FLOAT, 4.5, [3.0, 4.5]),
        (FieldType.INTEGER, 3, FieldType.TEXT, "four", ["3", "four"]),
        (FieldType.FLOAT, 3.5, FieldType.TEXT, "four", ["3.5", "four"]),
        (FieldType.FLOAT, 3.5, FieldType.INTEGER, 4, [3.5, 4.0]),
        (FieldType.TEXT, "three", FieldType.INTEGER, 4, ["three", "4"]),
        (FieldType.BOOLEAN, True, FieldType.TEXT, "no", ["true", "no"]),
        (FieldType.DATE, date(2024, 3, 1), FieldType.TEXT, "soon", ["2024-03-01", "soon"]),
        (FieldType.TIMESTAMP, DAY, FieldType.TEXT, "soon", ["2024-03-01 00:00:00+00", "soon"]),
        (FieldType.BOOLEAN, True, FieldType.INTEGER, 4, ["true", "4"]),
    ],
)
def test_a_column_widens_and_never_narrows(
    place: Place, was: FieldType, old: Any, becomes: FieldType, new: Any, reads: list[Any]
) -> None:
    """When a field's type changes, its column takes the type that holds the old values and the new."""
    place.open().apply(window("w1", (1, old), schema=Schema((ID, Field("x", was)), ("id",)), newer_by=None))
    place.open().apply(window("w2", (2, new), schema=Schema((ID, Field("x", becomes)), ("id",)), newer_by=None, day=1))

    assert [row["x"] for row in place.rows("people")] == reads


@pytest.mark.parametrize("name", ["x" * 100, 'quo"ted', "semi;colon", "sp ace", "select", "ünï", "a.b", "c0", "seq"])
def test_names_may_be_anything(place: Place, name: str) -> None:
    """Fields and streams of any name keep it."""
    schema = Schema((ID, Field(name, FieldType.TEXT)), ("id",))
    for number in (1, 2):
        row = (1, f"value {number}")
        place.open().apply(window(f"w{number}", row, schema=schema, stream=name, newer_by=None, read=number))

    assert [(row["id"], row[name]) for row in place.rows(name)] == [(1, "value 2")]


def test_fields_that_differ_in_case_have_columns_of_their_own(place: Place) -> None:
    """No value of `email` lands in `Email`, in whatever order a later request names them."""
    upper, lower = Field("Email", FieldType.TEXT), Field("email", FieldType.TEXT)
    place.open().apply(window("w1", (1, "UP", "low"), schema=Schema((ID, upper, lower), ("id",)), newer_by=None))

    applied = place.open().apply(
        window("w2", (1, "low", "UP"), schema=Schema((ID, lower, upper), ("id",)), newer_by=None, read=1)
    )

    assert applied == Applied(unchanged=1)
    assert sorted(value for value in place.rows("people")[0].values() if value in {"UP", "low"}) == ["UP", "low"]


def test_another_instance_may_not_write_the_same_table(place: Place) -> None:
    """Rows of two instances are never mixed: the second is told whose table it is."""
    place.open().apply(window("w1", (1, at(1), "a")))

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().apply(window("w2", (1, at(2), "b"), instance="globex"))

    assert people(place) == [(1, at(1), "a")]


def test_streams_that_differ_in_case_may_not_share_a_table(place: Place) -> None:
    """Where names have no case, the second stream is told whose table it would write to."""
    place.open().apply(window("w1", (1, at(1), "a")))

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().apply(window("w2", (1, at(2), "b"), stream="People"))


def test_standing_tells_what_is_committed(place: Place) -> None:
    """Stretches that touch or overlap are one, gaps stay gaps, only the stream's own count; another's are refused."""
    destination = place.open()
    assert destination.standing("acme", "people") == Standing()
    for number, (day, epoch) in enumerate([(0, 1), (4, 1), (1, 2), (5, 3), (1, 3)]):
        destination.apply(window(f"w{number}", day=day, epoch=epoch))
    destination.apply(window("w9", day=2, epoch=9, stream="others"))

    standing = place.open().standing("acme", "people")

    assert standing == Standing((Interval(at(0), at(48)), Interval(at(96), at(144))), 3)
    with pytest.raises(ConfigError, match="holds people of acme"):
        destination.standing("globex", "people")


def test_the_ledger_answers_for_each_window(place: Place) -> None:
    """A window is held by its instance and stream alone, even one without rows."""
    assert place.open().holds("acme", "people", "w1") is False
    place.open().apply(window("w1"))

    asked = [("acme", "people"), ("acme", "others"), ("globex", "people")]
    assert [place.open().holds(*whose, "w1") for whose in asked] == [True, False, False]
    assert place.open().holds("acme", "people", "w2") is False


def test_check_names_the_destination(place: Place) -> None:
    """A check leaves an empty destination that is ready, and may be repeated."""
    assert place.open().check() == place.open().check()
    assert place.open().standing("acme", "people") == Standing()


def test_readers_see_whole_windows_in_between(place: Place) -> None:
    """Between two windows other programs read what is committed, as often as they like."""
    destination = place.open()
    seen = []
    for number in (1, 2):
        destination.apply(window(f"w{number}", (number, at(1), "a"), day=number))
        seen += [len(place.rows("people")), len(place.rows("people"))]

    assert seen == [1, 1, 2, 2]


def test_a_foreign_lock_is_named(place: Place) -> None:
    """While another process holds it, every operation says who, nothing is applied, and later it works."""
    place.open().apply(window("w1", (1, at(1), "a")))
    with place.occupied() as holder:
        for operation in (
            lambda: place.open().apply(window("w2", (2, at(1), "b"), day=1)),
            lambda: place.open().standing("acme", "people"),
            lambda: place.open().check(),
        ):
            with pytest.raises(DestinationUnavailable, match=holder):
                operation()

    assert place.open().apply(window("w2", (2, at(1), "b"), day=1)) == Applied(inserted=1)


LARGE_WINDOW = """
import random, resource, sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
from syncengine.destinations import Window
from syncengine.schema import Field, FieldType, Schema

path = Path(sys.argv[1])
{opening}
schema = Schema((Field("id", FieldType.INTEGER), *(Field(f"f{{n}}", FieldType.TEXT) for n in range(10))), ("id",))
random_text = random.Random(7).randbytes(8_500_000).hex()
day = datetime(2024, 3, 1, tzinfo=UTC)

def batches(shift):
    for first in range(0, 200_000, 4_000):
        ids = range(first, first + 4_000)
        texts = [random_text[n * 79 : n * 79 + 100 + shift] for n in ids]
        yield pa.RecordBatch.from_arrays([pa.array(ids), *[pa.array(texts) for _ in range(10)]], schema=schema.arrow())

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before = peak()
for number in (1, 2):
    read_at = day.replace(hour=number)
    window = Window("acme", "people", f"w{{number}}", 1, day, day, "", read_at, schema, None, batches(number))
    print(destination.apply(window).rows)
print(peak() - before)
"""


def test_a_large_window_takes_bounded_memory(place: Place) -> None:
    """Two windows of 200,000 rows and 200 MB, the second changing every row, fit in little memory."""
    script = LARGE_WINDOW.format(opening=place.opening)

    run = subprocess.run([sys.executable, "-c", script, str(place.path)], capture_output=True, text=True, check=True)

    first, second, grown = map(int, run.stdout.split())
    assert (first, second) == (200_000, 200_000)
    assert grown < 400_000_000
