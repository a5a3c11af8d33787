"""Views show members of a JSON column as typed columns: every destination that has views."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from syncengine.destinations import View, ViewColumn
from syncengine.destinations.columns import mark_of
from syncengine.errors import ConfigError
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, columns_of, window

VISITS = Schema((ID, Field("kind", FieldType.INTEGER), Field("attributes", FieldType.JSON)), ("id",))
VISIT = View("visits", "people", "kind", 12, "attributes", (ViewColumn("page", "page", FieldType.TEXT),))


def filled(place: Place, *attributes: object) -> Place:
    """Visits of kind 12 with these attributes, numbered from 0, and one of another kind."""
    if not place.shows:
        pytest.skip("has no views")
    rows = [(number, 12, json.dumps(each, separators=(",", ":"))) for number, each in enumerate(attributes)]
    place.open().apply(window("w1", *rows, (99, 13, '{"page": "other"}'), schema=VISITS, newer_by=None))
    return place


def test_a_place_without_views_says_so(place: Place) -> None:
    """Whether there are views is what the destination answers."""
    place.open().apply(window("w1", schema=VISITS, newer_by=None))

    assert place.shows is place.open().show("acme", [VISIT])


def test_a_view_has_the_rows_of_one_kind(place: Place) -> None:
    """The stream's own columns come first, then the members; the JSON itself is left out."""
    filled(place, {"page": "a"}, {"page": None}, {})
    place.open().show("acme", [VISIT])

    assert [(0, 12, "a"), (1, 12, None), (2, 12, None)] == columns_of(place, "id", "kind", "page", stream="visits")
    names = list(place.rows("visits")[0])
    assert ("id", "kind", "page") == (names[0], names[1], names[-1])
    assert "attributes" not in names


READ: dict[FieldType, list[tuple[object, object]]] = {
    FieldType.TEXT: [("a", "a"), ("", ""), (1.5, "1.5"), (True, "true"), (None, None), ("null", "null")],
    FieldType.INTEGER: [
        (7, 7),
        ("-7", -7),
        ("4.0", 4),
        ("+5", 5),
        ("4.5", None),
        (2**70, None),
        ("1e2", None),
        ("", None),
    ],
    FieldType.FLOAT: [
        (1.5, 1.5),
        ("-1.5e3", -1500.0),
        (2, 2.0),
        ("nan", None),
        ("1e400", None),
        (".", None),
        ("x", None),
    ],
    FieldType.BOOLEAN: [(True, True), ("FALSE", False), ("1", True), (0, False), ("yes", None), ("t", None)],
    FieldType.DATE: [
        ("2024-02-29", date(2024, 2, 29)),
        ("2023-02-29", None),
        ("1900-02-29", None),
        ("2000-02-29", date(2000, 2, 29)),
        ("2024-13-01", None),
        ("0000-01-01", None),
        ("29.2.2024", None),
        ("2024-02-29T00:00:00Z", None),
    ],
    FieldType.TIMESTAMP: [
        ("2024-02-29T10:00:00Z", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2024-02-29T10:00:00Z+0000", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2024-02-29T10:00:00.25+02:00", datetime(2024, 2, 29, 8, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-02-29T10:00:00-0530", datetime(2024, 2, 29, 15, 30, tzinfo=UTC)),
        ("2024-02-29 10:00:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2023-02-29T10:00:00Z", None),
        ("2024-02-29T25:00:00Z", None),
        ("2024-02-29T10:61:00Z", None),
        ("2024-02-29T10:00:00+99:00", None),
        ("2024-02-29", None),
        ("now", None),
    ],
    FieldType.JSON: [({"a": [1]}, '{"a":[1]}'), ("x", '"x"'), (None, None), (1, "1")],
}


@pytest.mark.parametrize("type_", FieldType)
def test_members_are_typed_and_misfits_are_null(place: Place, type_: FieldType) -> None:
    """A value of the type is read as such, from text or number; anything else is NULL and stops no query."""
    filled(place, *({"x": value} for value, _ in READ[type_]), {}, [], "x", None)
    place.open().show("acme", [replace(VISIT, columns=(ViewColumn("x", "x", type_),))])

    assert [*(read for _, read in READ[type_]), None, None, None, None] == [row["x"] for row in place.rows("visits")]


HOSTILE = [
    "a.b",
    "$.a",
    "a/b",
    "~1",
    "it's",
    'quo"te',
    "[0]",
    "0",
    "",
    " ",
    "日本 🎉",
    "x" * 100,
    "%s",
    "{}",
    "\\",
    "a\tb",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_member_may_have_any_name(place: Place, key: str) -> None:
    """Its value is found under the exact key, in a column of any name, in a view of any name."""
    filled(place, {key: "here", "other": "x"})
    name, view = key or "empty", f"visits {key or 'empty'}"
    place.open().show("acme", [replace(VISIT, name=view, columns=(ViewColumn(name, key, FieldType.TEXT),))])

    assert [("here",)] == columns_of(place, place.called(name), stream=view)


def test_a_zero_byte_in_a_member_stops_no_query(place: Place) -> None:
    """Whatever becomes of it where text has none, the other members and rows are shown."""
    filled(place, {"page": "a\x00b", "other": "c"}, {"page": "\\u0000", "other": "d", "z\x00": 1})
    columns = (*VISIT.columns, ViewColumn("other", "other", FieldType.TEXT))
    place.open().show("acme", [replace(VISIT, columns=columns)])

    assert [(0, "c"), (1, "d")] == columns_of(place, "id", "other", stream="visits")
    assert "\\u0000" == place.rows("visits")[1]["page"]


def test_columns_whose_name_is_taken_get_a_suffix(place: Place) -> None:
    """The stream's own columns keep their names, whatever the members are called."""
    filled(place, {"ID": "a", "Kind": "b", "page": "c", "Page": "d"})
    columns = tuple(ViewColumn(name, name, FieldType.TEXT) for name in ("ID", "Kind", "page", "Page"))
    place.open().show("acme", [replace(VISIT, columns=columns)])

    row = place.rows("visits")[0]
    assert [(0, 12, "c")] == columns_of(place, "id", "kind", "page", stream="visits")
    assert ["a", "b", "c", "d"] == list(row.values())[-4:]


def test_views_follow_what_is_asked(place: Place) -> None:
    """A view is renewed with other columns, and dropped when it is no longer named; the tables stay."""
    filled(place, {"page": "a", "score": "5"})
    scored = replace(VISIT, columns=(ViewColumn("score", "score", FieldType.INTEGER),))
    place.open().show("acme", [VISIT, replace(VISIT, name="more")])
    place.open().show("acme", [scored])

    assert [(5,)] == columns_of(place, "score", stream="visits")
    assert [] == place.rows("more")
    place.open().show("acme", [])
    assert ([], 2) == (place.rows("visits"), len(place.rows("people")))


def test_a_view_takes_no_other_name(place: Place) -> None:
    """Tables and the views of others keep their names; ours stands beside them."""
    filled(place, {"page": "a"})
    place.open().show("acme", [replace(VISIT, name="people"), VISIT])

    assert ["attributes"] == [name for name in place.rows("people")[0] if name == "attributes"]
    assert [(0, "a")] == columns_of(place, "id", "page", stream=f"people_{mark_of('people')}")


def test_rows_go_on_while_there_are_views(place: Place) -> None:
    """A stream that has a view takes more rows, columns and wider types."""
    filled(place, {"page": "a"})
    place.open().show("acme", [VISIT])
    wider = Schema((ID, Field("kind", FieldType.FLOAT), VISITS.fields[2], Field("new", FieldType.TEXT)), ("id",))

    place.open().apply(window("w2", (1, 12.0, '{"page": "b"}', "x"), schema=wider, newer_by=None, read=1))
    place.open().show("acme", [VISIT])

    assert [(0, None, "a"), (1, "x", "b")] == columns_of(place, "id", "new", "page", stream="visits")


def test_a_view_of_nothing_waits(place: Place) -> None:
    """A stream without a table has no view yet; a stream of another instance is refused."""
    if not place.shows:
        pytest.skip("has no views")
    assert place.open().show("acme", [VISIT]) is True
    assert [] == place.rows("visits")
    filled(place, {"page": "a"})
    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().show("globex", [VISIT])


def test_a_view_may_have_no_members(place: Place) -> None:
    """A kind without attributes still has rows."""
    filled(place, {"page": "a"}, {})
    place.open().show("acme", [replace(VISIT, columns=())])

    assert [(0, 12), (1, 12)] == columns_of(place, "id", "kind", stream="visits")


def test_views_that_differ_in_case_stand_apart(place: Place) -> None:
    """The second spelling gets a suffix from its exact name, and both keep their names when asked for again."""
    filled(place, {"page": "a"})
    views = [VISIT, replace(VISIT, name="Visits", columns=())]
    for order in (views, views[::-1]):
        place.open().show("acme", order)

        assert "page" in place.rows("visits")[0]
        assert "page" not in place.rows(f"Visits_{mark_of('Visits')}")[0]
