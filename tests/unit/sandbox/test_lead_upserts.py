"""Tests of creating and updating leads by key."""

from typing import Any

import pytest

from syncengine.sandbox.database import Database
from syncengine.sandbox.lead_upserts import Action, Landing, LeadRows, LeadUpsert, check_lead_fields, lead_readers
from syncengine.sandbox.people import FIRST_LEAD_ID, People
from syncengine.sandbox.replies import Refusal
from tests.unit.sandbox.caller import small_options

NOW = 1_800_000_000.0


def some_people(**options: Any) -> People:
    """The people of a small instance."""
    return Database(small_options(leads=50, **options)).people


def put(people: People, lookup: str = "email", action: Action = "createOrUpdate", **values: Any) -> Landing:
    """Write one lead in a write of its own."""
    upsert = LeadUpsert(people, lookup, action)
    landing = upsert.put(tuple(values), list(values.values()), NOW)
    upsert.close()
    return landing


def known(people: People, row: int, *names: str) -> list[Any]:
    """Values of a lead."""
    return [value for (value,) in people.columns(names, [row])]


def test_a_new_lead_has_what_it_was_given_and_no_more() -> None:
    """Nothing comes from the generator, and it counts as any lead."""
    people = some_people()
    landing = put(people, email="New@Example.com", lastName="N")
    assert (landing.status, landing.lead_id) == ("created", FIRST_LEAD_ID + 50)
    assert known(people, 50, "email", "lastName", "createdAt", "updatedAt") == ["New@Example.com", "N", NOW, NOW]
    others = [name for name in people.fields if name not in {"id", "email", "lastName", "createdAt", "updatedAt"}]
    assert known(people, 50, *others) == [None] * len(others)
    assert people.columns(["lastName"], [0, 50, 1])[0][1] == "N"


def test_a_lead_is_found_in_any_case_and_changed() -> None:
    """Trimmed and folded; a generated lead keeps what is not named; updatedAt moves with a change alone."""
    people = some_people()
    (email, title, before) = known(people, 0, "email", "title", "updatedAt")
    assert put(people, email=email).row == 0
    assert known(people, 0, "updatedAt") == [before]
    assert put(people, email=f" {email.upper()} ", city=None).status == "updated"
    assert known(people, 0, "email", "title", "city", "updatedAt") == [f" {email.upper()} ", title, None, NOW]
    again = put(people, email=email, city="Oslo")
    assert (again.row, known(people, 0, "city")) == (0, ["Oslo"])
    assert len(people) == 50


def test_a_written_lead_can_be_written_again_with_other_fields() -> None:
    """Old values stay where they are not named, and the index follows a new address."""
    people = some_people()
    row = put(people, email="a@x.de", nickname="N").row
    put(people, "nickname", nickname="N", email="b@x.de", city="C")
    assert known(people, row, "email", "nickname", "city") == ["b@x.de", "N", "C"]
    assert (people.lookup("email", "a@x.de"), people.lookup("email", "b@x.de")) == ([], [row])


@pytest.mark.parametrize(
    ("action", "email", "expected"),
    [
        ("createOnly", "old@x.de", ("skipped", "1005", "Lead already exists")),
        ("createOnly", "new@x.de", ("created", "", "")),
        ("updateOnly", "new@x.de", ("skipped", "1004", "Lead not found")),
        ("updateOnly", "old@x.de", ("updated", "", "")),
        ("createDuplicate", "old@x.de", ("created", "", "")),
        ("createOrUpdate", "two@x.de", ("skipped", "1007", "Multiple leads match the lookup criteria")),
        ("updateOnly", "two@x.de", ("skipped", "1007", "Multiple leads match the lookup criteria")),
        ("createOrUpdate", None, ("skipped", "1003", "Missing value for lookup field Email Address")),
    ],
)
def test_each_action_has_its_way(action: Action, email: str | None, expected: tuple[str, str, str]) -> None:
    """Adobe's codes for what cannot be done."""
    people = some_people()
    for address in ("old@x.de", "two@x.de", "two@x.de"):
        put(people, action="createDuplicate", email=address)
    landing = put(people, action=action, email=email)
    assert expected == (landing.status, landing.code, landing.message)


def test_an_id_finds_and_never_makes() -> None:
    """It is for updates only, and a deleted lead is not found."""
    people = some_people()
    assert put(people, "id", id=1003, city="C").row == 2
    assert known(people, 2, "id", "city") == [1003, "C"]
    people.fates.delete(1003)
    assert put(people, "id", id=1003, city="C").code == "1004"
    assert put(people, "id", id=99_999, city="C").code == "1004"


def test_a_deleted_lead_does_not_stand_in_the_way() -> None:
    """Its address is free again."""
    people = some_people()
    landing = put(people, email="a@x.de")
    people.fates.delete(landing.lead_id)
    assert put(people, email="a@x.de").status == "created"


def test_writes_that_overlap_make_a_duplicate() -> None:
    """Each looks its key up as of its begin, so both create; both see the one of an earlier write."""
    people = some_people()
    put(people, email="old@x.de")
    first, second = LeadUpsert(people, "email"), LeadUpsert(people, "email")
    statuses = [
        upsert.put(("email",), [email], NOW).status
        for upsert in (first, second)
        for email in ("new@x.de", "new@x.de", "old@x.de")
    ]
    assert statuses == ["created", "updated", "updated"] * 2
    first.close()
    second.close()
    assert [(email, len(ids)) for email, ids in people.duplicates()] == [("new@x.de", 2)]
    assert put(people, email="new@x.de").code == "1007"


def test_two_fields_find_a_lead_together() -> None:
    """Both have to be the same."""
    people = some_people()
    for name in ("A", "B"):
        put(people, action="createDuplicate", email="x@x.de", firstName=name)
    upsert = LeadUpsert(people, "email", also="firstName")
    landings = [upsert.put(("email", "firstName"), ["X@x.de", name], NOW) for name in ("B", "C")]
    assert [landing.status for landing in landings] == ["updated", "created"]


@pytest.mark.parametrize(
    ("names", "lookup", "code"),
    [
        (["email", "noSuch"], "email", "1006"),
        (["email", "createdAt"], "email", "1003"),
        (["email", "id"], "email", "1003"),
        (["email"], "lastName", "1011"),
    ],
)
def test_fields_that_cannot_be_written_are_refused(names: list[str], lookup: str, code: str) -> None:
    """Unknown and read-only ones, and keys by which nothing is found."""
    with pytest.raises(Refusal) as caught:
        check_lead_fields(some_people(), names, lookup)
    assert caught.value.code == code


def test_rows_of_a_file_fail_with_a_reason_or_warn() -> None:
    """A failed row is not written; what landed is told."""
    people, landed = some_people(), list[int]()
    rows = LeadRows(people, ("email", "leadScore"), "email", landed.append)
    results = [rows.write(cells, NOW) for cells in (["a@x.de", "1"], ["b@x.de", "x"], ["no address", ""], ["", "2"])]
    assert results == [
        ("", ""),
        ("Invalid data type in field Lead Score", ""),
        ("", "Invalid email address"),
        ("Missing value for lookup field Email Address", ""),
    ]
    assert (landed, len(people)) == ([FIRST_LEAD_ID + 50, FIRST_LEAD_ID + 51], 52)
    with pytest.raises(Refusal):
        lead_readers(people, ["noSuch"])
