"""The header against what Marketo describes."""

from collections.abc import Sequence

import pytest

from syncengine.imports.findings import Effect
from syncengine.imports.header import Column, Writable, columns_of, writable
from syncengine.marketo.described import ObjectField
from syncengine.marketo.rows import LeadField

FIELDS = (
    Writable("email", "email", 255, is_writable=True),
    Writable("firstName", "string", 255, is_writable=True),
    Writable("leadScore", "integer", None, is_writable=True),
    Writable("createdAt", "datetime", None, is_writable=False),
    Writable("memo", "string", 50, is_writable=True, of_member=True),
)
MAP = "map it to a field, or leave it out, with --map"


def found(header: Sequence[str], keys: Sequence[str] = ("email",), **mapping: str) -> list[tuple[str, str, str]]:
    """What is wrong with a header: column, what, advice. All of it stops the import."""
    _, findings = columns_of(header, FIELDS, keys, mapping)
    assert {Effect.STOPS} >= {each.effect for each in findings}
    assert {(None, ())} >= {(each.rows, each.examples) for each in findings}
    return [(each.column, each.what, each.advice) for each in findings]


def test_columns_know_their_fields_and_where_they_stand() -> None:
    """In the order of the header; the key is marked, and a field of a member's own too."""
    columns, findings = columns_of(["firstName", "memo", "email"], FIELDS, ["email"], {})
    assert (
        Column("firstName", "string", 255, 0, is_key=False),
        Column("memo", "string", 50, 1, is_key=False, of_member=True),
        Column("email", "email", 255, 2, is_key=True),
    ) == columns
    assert () == findings


@pytest.mark.parametrize(
    ("heading", "what", "advice"),
    [
        ("", "has no name", 'name it, or leave it out with --map: "" = "" under [columns]'),
        ("  ", "has no name", 'name it, or leave it out with --map: "" = "" under [columns]'),
        (" firstName", "begins or ends with a blank", "Marketo knows no such field; write 'firstName'"),
        ("firstName\t", "begins or ends with a blank", "Marketo knows no such field; write 'firstName'"),
        ("First Name", "is no field that Marketo describes", "did you mean 'firstName'?"),
        ("LEADSCORE", "is no field that Marketo describes", "did you mean 'leadScore'?"),
        ("frstName", "is no field that Marketo describes", "did you mean 'firstName'?"),
        ("shoeSize", "is no field that Marketo describes", MAP),
        ("createdAt", "can only be read", "leave the column out"),
    ],
)
def test_each_kind_of_fault_is_told_with_what_to_do(heading: str, what: str, advice: str) -> None:
    """Before a row is read, since every row would fail."""
    ((_, told, do),) = found(["email", heading])
    assert (what, advice) == (told, do)


def test_a_column_without_a_name_is_told_by_its_place() -> None:
    """Counted from 1; a heading with blanks is shown with them."""
    assert ["column 2", "' firstName'"] == [column for column, _, _ in found(["email", "", " firstName"])]


def test_a_field_that_stands_twice_is_told_once() -> None:
    """Neither of the columns is guessed; blank ones are no repetition."""
    assert [("firstName", "stands 3 times in the header", "leave out all but one")] == found(
        ["firstName", "email", "firstName", "firstName"]
    )
    assert [("firstName", "stands 2 times in the header", "leave out all but one")] == found(
        ["Name", "email", "firstName"], Name="firstName"
    )
    assert ["has no name"] * 2 == [what for _, what, _ in found(["email", "", ""])]


def test_a_missing_key_is_told_with_what_comes_close() -> None:
    """Without it nobody knows which person a row means."""
    what = "is what rows are looked up by, and no column has it"
    assert ("email", what, "did you mean 'Email'?") == found(["Email", "firstName"])[-1]
    assert [("email", what, "say with --map which column has it")] == found(["firstName", "leadScore"])
    assert [("email", what), ("leadScore", what)] == [each[:2] for each in found(["firstName"], ("email", "leadScore"))]


def test_a_key_may_be_a_field_that_can_only_be_read() -> None:
    """Marketo finds records by it and writes the others."""
    assert [] == found(["createdAt", "firstName"], ("createdAt",))


def test_a_mapping_names_the_field_of_a_column() -> None:
    """By the heading as it stands in the file."""
    columns, findings = columns_of(["E-Mail", "First"], FIELDS, ["email"], {"E-Mail": "email", "First": "firstName"})
    assert [("email", 0, True), ("firstName", 1, False)] == [(each.name, each.place, each.is_key) for each in columns]
    assert () == findings


def test_columns_that_are_left_out_are_no_fault() -> None:
    """Whatever they are called, and however often."""
    mapping = {"Notes": "", "": "", " x ": ""}
    columns, findings = columns_of(["Notes", "email", "", "Notes", " x "], FIELDS, ["email"], mapping)
    assert ([("email", 1)], ()) == ([(each.name, each.place) for each in columns], findings)


def test_a_mapping_of_no_column_is_told() -> None:
    """A misspelt heading in the map would leave the column that is meant as it is."""
    what = "is named by --map and is not in the header"
    assert [("E-Mial", what, "did you mean 'E-Mail'?")] == found(["E-Mail", "email"], **{"E-Mial": ""})[:1]
    assert [("Address", what, "write the heading as the file has it")] == found(["email"], Address="email")


def test_a_mapping_to_no_field_is_told() -> None:
    """As a heading would be."""
    assert [("emial", "is no field that Marketo describes", "did you mean 'email'?")] == found(
        ["email", "Mail"], Mail="emial"
    )


def test_what_looks_like_a_row_is_told_first() -> None:
    """A file without a header: everything else that is said about it is noise."""
    told = found(["ann@x.example", "Ann", "17"])
    assert ("ann@x.example", "looks like a row and not like a header", "add a line of field names") == told[0]
    assert "looks like a row and not like a header" == found(["1", "Ann"])[0][1]
    assert "looks like" not in found(["Email", "firstName"])[0][1]


def test_findings_come_in_the_order_of_the_check() -> None:
    """The map, each column from the left, what stands twice, the key."""
    told = found([" firstName", "createdAt", "leadScore", "leadScore"], Gone="firstName")
    assert ["Gone", "' firstName'", "createdAt", "leadScore", "email"] == [column for column, _, _ in told]


def test_columns_of_a_faulty_header_are_those_that_are_known() -> None:
    """The others are told; nothing is guessed for them."""
    columns, _ = columns_of(["email", "shoeSize", "firstName"], FIELDS, ["email"], {})
    assert ["email", "firstName"] == [each.name for each in columns]


@pytest.mark.parametrize(
    ("field", "can_be_written"),
    [
        (LeadField("city", "City", "string", 255, read_only=False), True),
        (LeadField("city", "City", "string", 255, read_only=True), False),
        (LeadField("updatedAt", "Updated", "datetime", None, read_only=False), False),
        (ObjectField("vin", "VIN", "string", 36, updateable=True), True),
        (ObjectField("vin", "VIN", "string", 36, updateable=False), False),
        (ObjectField("marketoGUID", "GUID", "string", 36, updateable=True), False),
    ],
)
def test_what_marketo_sets_itself_is_never_written(field: LeadField | ObjectField, *, can_be_written: bool) -> None:
    """Whatever describe says of it."""
    found = writable(field)
    assert (field.name, field.data_type, field.length, can_be_written) == (
        found.name,
        found.data_type,
        found.length,
        found.is_writable,
    )
