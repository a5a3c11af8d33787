"""Tests of the leads and of how they are generated."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.generated import GeneratedPeople
from syncengine.sandbox.hostile import HOSTILE_TEXTS, LONG_TEXT_CHARACTERS
from syncengine.sandbox.people import FIRST_LEAD_ID, People
from tests.unit.sandbox.caller import small_options

OPTIONS = small_options(leads=2_000)
NOW = OPTIONS.start_seconds


def people_of(count: int = 2_000) -> People:
    """A fresh store of generated people."""
    source = GeneratedPeople(OPTIONS.seed, start=int(NOW), years=OPTIONS.years)
    return People(source, OPTIONS, count)


@given(st.lists(st.integers(0, 1_999), max_size=20))
def test_a_row_is_the_same_whatever_is_asked_beside_it(rows: list[int]) -> None:
    """Values of a row depend on seed and index alone."""
    people = people_of()
    names = [field.name for field in people.exportable()]
    together = list(zip(*people.columns(names, rows), strict=True))
    alone = [tuple(column[0] for column in people.columns(names, [row])) for row in rows]
    assert together == alone


def test_dates_lie_in_the_years_before_the_start() -> None:
    """createdAt grows with the id, updatedAt is never before it, and both precede the start."""
    people = people_of()
    created, updated = people.columns(["createdAt", "updatedAt"], range(2_000))
    assert created == sorted(int(stamp or 0) for stamp in created)
    assert all(NOW - 3 * 366 * 86_400 < int(c or 0) <= int(u or 0) < NOW for c, u in zip(created, updated, strict=True))
    lately = people.between("updatedAt", int(NOW) - 30 * 86_400, int(NOW))
    assert len(lately) > len(people.between("createdAt", int(NOW) - 30 * 86_400, int(NOW)))


def test_every_data_type_and_every_hostile_text_occurs() -> None:
    """Sixty-two fields can be exported, of fourteen types; all hostile texts and nulls are somewhere."""
    people = people_of()
    fields = people.exportable()
    assert len(fields) == 62
    assert {field.data_type for field in people.fields.values()} == {
        *("string", "text", "email", "phone", "url", "integer", "float", "currency", "percent", "score"),
        *("boolean", "date", "datetime", "reference", "formula"),
    }
    seen = {value for column in people.columns([f.name for f in fields], range(2_000)) for value in column}
    assert {None, *HOSTILE_TEXTS} <= seen


def test_some_cells_exceed_what_csv_readers_take_by_default() -> None:
    """The csv module refuses cells beyond 131,072 characters unless told otherwise."""
    longest = max(len(str(value)) for value in people_of(10_000).columns(["transcript"], range(10_000))[0])
    assert longest >= LONG_TEXT_CHARACTERS


def test_an_update_shows_in_values_and_in_updatedat() -> None:
    """Only the given fields change, and the lead moves to the end of time."""
    people = people_of()
    people.update(FIRST_LEAD_ID + 5, {"lastName": None, "leadScore": "7", "isVip": "false"}, NOW + 60.9)
    assert people.columns(["lastName", "leadScore", "isVip", "updatedAt"], [5]) == [
        [None],
        [7],
        [False],
        [int(NOW) + 60],
    ]
    assert people.between("updatedAt", int(NOW), int(NOW) + 60) == [5]


def test_an_added_lead_gets_the_next_id_and_generated_values() -> None:
    """What is not given comes from the seed."""
    people = people_of(10)
    assert people.add({"email": "new@example.com"}, NOW + 1) == FIRST_LEAD_ID + 10
    assert people.columns(["id", "email", "createdAt"], [10]) == [[FIRST_LEAD_ID + 10], ["new@example.com"], [NOW + 1]]
    assert people.columns(["company"], [10]) == people_of(11).columns(["company"], [10])


@pytest.mark.parametrize(
    ("lead_id", "values"),
    [(1, {}), (FIRST_LEAD_ID, {"id": 3}), (FIRST_LEAD_ID, {"noSuchField": 1}), (FIRST_LEAD_ID, {"leadScore": "x"})],
)
def test_an_impossible_update_is_refused(lead_id: int, values: dict[str, object]) -> None:
    """Unknown leads, read-only or unknown fields and wrong types change nothing."""
    people = people_of(10)
    with pytest.raises(ValueError, match=r"."):
        people.update(lead_id, values, NOW)
    assert people.between("updatedAt", int(NOW), int(NOW) + 1) == []


def test_truth_has_typed_values_for_every_exportable_field() -> None:
    """JSON lines in the order of ids, datetimes as UTC."""
    people = people_of(600)
    lines = [orjson.loads(line) for line in b"".join(people.truth()).splitlines()]
    assert [line["id"] for line in lines] == list(range(FIRST_LEAD_ID, FIRST_LEAD_ID + 600))
    assert set(lines[0]) == {field.name for field in people.exportable()}
    assert all(line["createdAt"].endswith("Z") for line in lines)
    assert {type(line["isVip"]) for line in lines} == {bool, type(None)}
