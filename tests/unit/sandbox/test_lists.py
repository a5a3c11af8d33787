"""Tests of the members of static lists."""

from collections import Counter

from tests.unit.sandbox.caller import Caller


def test_lists_are_of_many_sizes() -> None:
    """One holds everybody, one nobody."""
    sizes = Counter(line["listId"] for line in Caller().truth("list_members"))
    assert (sizes[2002], sizes[2003]) == (300, 0)
    assert 0 < sizes[2001] < 60


def test_members_come_and_go() -> None:
    """Whoever is added is there once, whoever is taken off is not."""
    caller = Caller()
    caller.change(list_members=[{"listId": 2001, "add": [1001, 1002], "remove": [1008]}])
    members = [line["leadId"] for line in caller.truth("list_members") if line["listId"] == 2001]
    assert members[:3] == [1001, 1002, 1015]


def test_new_leads_join_the_lists_that_take_everybody() -> None:
    """Membership follows from the id."""
    caller = Caller()
    (lead_id,) = caller.change(new_leads=[{}])["added_leads"]
    assert {"listId": 2002, "leadId": lead_id} in caller.truth("list_members")
