"""Looking among the people: was a chunk whose answer was lost ever applied?"""

from datetime import timedelta
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from syncengine.imports.endings import Tally
from syncengine.imports.header import Column
from syncengine.imports.manifest import Place
from syncengine.imports.target import Kind, Target
from syncengine.imports.verify import Looked, ReadBack, Seen, Verdict
from tests.scripted import client_over, rows
from tests.unit.imports.table import COLUMNS, NAME, chunk, ended
from tests.virtual import ORIGIN, virtual, virtual_clock

LEADS = Target(kind=Kind.LEADS, keys=("email",))
SINCE = ORIGIN - timedelta(hours=1)
BEFORE, AFTER = "2026-03-02T06:00:00Z", "2026-03-02T07:00:01Z"

KINDS = [set(kinds) for kinds in chain.from_iterable(combinations(Seen, count) for count in range(7))]


def looked(*seen: Seen, was_accepted: bool = False, is_all_in_fields: bool = True) -> Looked:
    found = [(Place(n, 0, n + 1, 0, 0, 1), each) for n, each in enumerate(seen, 1)]
    return Looked(was_accepted, is_all_in_fields, found)


def expected(kinds: set[Seen], *, was_accepted: bool, is_all_in_fields: bool) -> Verdict:
    """In the words of the theory: what is certainly not there goes again, unless the chunk was taken for certain."""
    missing = {Seen.OTHER, Seen.ABSENT} | (set() if is_all_in_fields else {Seen.SAME})
    if kinds & missing and not was_accepted:
        return Verdict.ABSENT
    return Verdict.CONFIRMED if Seen.APPLIED in kinds or not kinds - {Seen.SAME} else Verdict.UNCLEAR


@pytest.mark.parametrize("kinds", KINDS, ids=lambda kinds: "+".join(sorted(each.name for each in kinds)) or "nothing")
def test_what_is_found_decides(kinds: set[Seen]) -> None:
    """One row of each kind: an accepted chunk is never taken for absent, and one row is no proof of the others."""
    for was_accepted in (False, True):
        for is_all_in_fields in (False, True):
            terms = {"was_accepted": was_accepted, "is_all_in_fields": is_all_in_fields}
            assert expected(kinds, **terms) is looked(*kinds, **terms).verdict


def test_the_plain_cases() -> None:
    """As a person would say them."""
    assert Verdict.CONFIRMED is looked(*[Seen.APPLIED] * 3, Seen.OTHER, Seen.ABSENT).verdict
    assert Verdict.CONFIRMED is looked(Seen.SAME, Seen.SAME).verdict
    assert Verdict.ABSENT is looked(Seen.SAME, Seen.ABSENT).verdict
    assert Verdict.ABSENT is looked(Seen.OTHER).verdict
    assert Verdict.UNCLEAR is looked(Seen.ABSENT, was_accepted=True).verdict
    assert Verdict.UNCLEAR is looked(Seen.UNASKED).verdict


def test_one_row_that_somebody_touched_proves_no_chunk() -> None:
    """It may be anybody's: the rows that are certainly not there go again, and it stays as it is."""
    touched = looked(Seen.APPLIED, Seen.ABSENT, Seen.OTHER, Seen.ABSENT)
    assert (Verdict.ABSENT, {2, 3, 4}) == (touched.verdict, set(touched.to_send))


def test_rows_that_somebody_changed_since_are_never_sent_again() -> None:
    """Whoever changed them did so after us, perhaps on top of us: nobody's newer work is undone."""
    changed = looked(Seen.CHANGED, Seen.CHANGED)
    assert (Verdict.UNCLEAR, set()) == (changed.verdict, set(changed.to_send))
    mixed = looked(Seen.CHANGED, Seen.ABSENT, Seen.UNASKED, Seen.SAME)
    assert (Verdict.ABSENT, {2}) == (mixed.verdict, set(mixed.to_send))


def test_the_same_people_say_nothing_of_a_list() -> None:
    """They were in Marketo before: whether they were put on the list no field tells, so they are sent again."""
    same = looked(Seen.SAME, Seen.SAME, is_all_in_fields=False)
    assert (Verdict.ABSENT, {1, 2}) == (same.verdict, set(same.to_send))
    assert Verdict.CONFIRMED is looked(Seen.SAME, Seen.SAME, was_accepted=True, is_all_in_fields=False).verdict


def test_what_is_not_shown_to_be_there_is_unresolved(tmp_path: Path) -> None:
    """Row by row, with what was seen."""
    found = looked(Seen.APPLIED, Seen.OTHER, Seen.SAME, Seen.ABSENT, Seen.UNASKED, Seen.CHANGED)
    assert Tally(unresolved=4) == found.settle(tmp_path / "1.settled")
    said = "the answer was lost; looked for by its key: "
    told = [
        (2, "unresolved", said + "not as sent, unchanged since"),
        (4, "unresolved", said + "not there"),
        (5, "unresolved", said + "its key cannot be asked for"),
        (6, "unresolved", said + "not as sent, and changed since"),
    ]
    assert told == ended(tmp_path / "1.settled")
    assert Tally(unresolved=2) == found.settle(tmp_path / "2.settled", left_out=found.to_send)
    assert [told[2], told[3]] == ended(tmp_path / "2.settled")


def test_rows_of_a_batch_that_broke_fail_with_its_reason(tmp_path: Path) -> None:
    """Those that are in nevertheless are imported."""
    found = looked(Seen.APPLIED, Seen.ABSENT, Seen.SAME, was_accepted=True)
    assert Tally(failed=1) == found.settle(tmp_path / "1.settled", failed_for="system error")
    assert [(2, "failed", "system error")] == ended(tmp_path / "1.settled")


def lead(email: str, name: str | None = "Ann", score: int | None = 1, at: str | None = AFTER) -> dict[str, Any]:
    return {"id": 1, "email": email, "firstName": name, "leadScore": score, "updatedAt": at}


@pytest.mark.parametrize(
    ("people", "seen"),
    [
        ([], Seen.ABSENT),
        ([lead("b@x.example")], Seen.ABSENT),
        ([lead("ann@x.example")], Seen.APPLIED),
        ([lead("ANN@x.example")], Seen.APPLIED),
        ([lead("ann@x.example", at=BEFORE)], Seen.SAME),
        ([lead("ann@x.example", at=None)], Seen.SAME),
        ([lead("ann@x.example", at="2026-03-02T06:59:58Z")], Seen.APPLIED),
        ([lead("ann@x.example", at="2026-03-02T06:59:57Z")], Seen.SAME),
        ([lead("ann@x.example", name="Anna", at=BEFORE)], Seen.OTHER),
        ([lead("ann@x.example", score=None, at=None)], Seen.OTHER),
        ([lead("ann@x.example", name="Anna")], Seen.CHANGED),
        ([lead("ann@x.example", name="Anna", at=BEFORE), lead("ann@x.example", name="Anne")], Seen.CHANGED),
        ([lead("ann@x.example", name="Anna"), lead("ann@x.example")], Seen.APPLIED),
    ],
)
@virtual
async def test_a_row_is_compared_with_the_people_of_its_key(
    tmp_path_factory: pytest.TempPathFactory, people: list[dict[str, Any]], seen: Seen
) -> None:
    """All cells, by their types; of several people with one key any may be the one."""
    made = chunk(tmp_path_factory.mktemp("rows"), ("Ann@x.example ", "Ann", "01"))
    told = client_over(virtual_clock(), rows(*people))
    found = await ReadBack(told.client, LEADS, COLUMNS).look(made, SINCE, Looked())
    assert [seen] == [each for _, each in found.seen]


@virtual
async def test_three_hundred_rows_cost_a_call(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each in its place, in the order of the rows."""
    made = chunk(tmp_path_factory.mktemp("rows"), *[(f"p{n}@x.example", "Ann", "1") for n in range(601)])
    told = client_over(virtual_clock(), rows(lead("p0@x.example"), lead("p299@x.example")), rows(), rows())
    found = await ReadBack(told.client, LEADS, COLUMNS).look(made, SINCE, Looked())
    assert (3, 601) == (len(told.wire.requests), len(found.seen))
    assert [1, 300] == [place.row for place, seen in found.seen if seen is Seen.APPLIED]


@virtual
async def test_a_key_with_a_comma_cannot_be_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It would be read as two; where no key can be asked for, no call is made."""
    columns = (Column("code", "string", 99, 0, is_key=True), NAME)
    made = chunk(tmp_path_factory.mktemp("rows"), ("a,b", "Ann"), columns=columns)
    told = client_over(virtual_clock(), rows())
    found = await ReadBack(told.client, Target(kind=Kind.LEADS, keys=("code",)), columns).look(made, SINCE, Looked())
    assert ([Seen.UNASKED], []) == ([seen for _, seen in found.seen], told.wire.requests)


@virtual
async def test_white_space_that_belongs_to_a_key_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Marketo cuts blanks from a value's ends and nothing else: another record would be found, and this one missed."""
    columns = (Column("code", "string", 99, 0, is_key=True), NAME)
    made = chunk(tmp_path_factory.mktemp("rows"), (" A\u00a0\t", "Ann"), columns=columns)
    told = client_over(virtual_clock(), rows({"id": 1, "code": "A\u00a0", "firstName": "Ann", "updatedAt": AFTER}))
    found = await ReadBack(told.client, Target(kind=Kind.LEADS, keys=("code",)), columns).look(made, SINCE, Looked())
    (request,) = told.wire.requests
    assert "=A%C2%A0&" in f"{request.target}&{(request.body or b'').decode()}&"
    assert [Seen.APPLIED] == [seen for _, seen in found.seen]


CARS = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin", "plate"), api_name="car_c")
VIN, PLATE = (Column(name, "string", 36, place, is_key=True) for place, name in enumerate(("vin", "plate")))


@virtual
async def test_records_with_several_keys_are_told_apart_by_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All are asked for, and all are compared."""
    made = chunk(tmp_path_factory.mktemp("rows"), ("V1", "P1"), ("V1", "P2"), columns=(VIN, PLATE))
    told = client_over(virtual_clock(), rows({"vin": "V1", "plate": "P2", "updatedAt": AFTER}))
    found = await ReadBack(told.client, CARS, (VIN, PLATE)).look(made, SINCE, Looked())
    assert [Seen.ABSENT, Seen.APPLIED] == [seen for _, seen in found.seen]


@virtual
async def test_a_field_that_is_called_like_a_members_status_is_a_field(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Only members have a status to be compared."""
    columns = (VIN, Column("statusName", "string", 99, 1, is_key=False))
    made = chunk(tmp_path_factory.mktemp("rows"), ("V1", "sold"), columns=columns)
    told = client_over(virtual_clock(), rows({"vin": "V1", "statusName": "sold", "updatedAt": AFTER}))
    target = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin",), api_name="car_c")
    found = await ReadBack(told.client, target, columns).look(made, SINCE, Looked())
    assert [Seen.APPLIED] == [seen for _, seen in found.seen]


MEMBERS = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=7, status="On List")


@pytest.mark.parametrize(
    ("members", "seen"),
    [
        ([], Seen.OTHER),
        ([{"leadId": 1, "statusName": "Attended", "updatedAt": BEFORE}], Seen.OTHER),
        ([{"leadId": 1, "statusName": "Attended", "updatedAt": AFTER}], Seen.CHANGED),
        ([{"leadId": 1, "statusName": "On List", "updatedAt": AFTER}], Seen.APPLIED),
        ([{"leadId": 1, "statusName": "On List", "updatedAt": BEFORE}], Seen.SAME),
    ],
)
@virtual
async def test_a_member_is_one_with_the_status(
    tmp_path_factory: pytest.TempPathFactory, members: list[dict[str, Any]], seen: Seen
) -> None:
    """A person who is in Marketo as sent and no member is not as sent."""
    made = chunk(tmp_path_factory.mktemp("rows"), ("ann@x.example", "Ann", "1"))
    told = client_over(virtual_clock(), rows(lead("ann@x.example", at=BEFORE)), rows(*members))
    found = await ReadBack(told.client, MEMBERS, COLUMNS).look(made, SINCE, Looked())
    assert [seen] == [each for _, each in found.seen]
