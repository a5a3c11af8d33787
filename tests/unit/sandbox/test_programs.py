"""Tests of programs and memberships."""

import pytest

from tests.unit.sandbox.caller import Caller


@pytest.mark.parametrize(("leads", "programs", "members"), [(7, 3, 100), (300, 60, 6_000), (1, 5, 4), (10, 1, 10)])
def test_nobody_is_a_member_of_a_program_twice(leads: int, programs: int, members: int) -> None:
    """There are as many memberships as were asked for, or as many as are possible."""
    caller = Caller(leads=leads, programs=programs, program_members=members)
    pairs = [(line["programId"], line["leadId"]) for line in caller.truth("program_members")]
    assert len(pairs) == len(set(pairs)) == min(members, leads * programs)
    assert {lead_id for _, lead_id in pairs} <= set(range(1001, 1001 + leads))


def test_a_membership_knows_the_present_name_of_its_program() -> None:
    """A renamed program is renamed in its members."""
    caller = Caller()
    caller.change(records={"programs": [{"row": 0, "name": "Renamed"}]})
    assert {line["program"] for line in caller.truth("program_members") if line["programId"] == 4001} == {"Renamed"}
