"""Tests of the instance's data as a whole."""

import pytest

from syncengine.sandbox.hostile import HOSTILE_TEXTS
from tests.unit.sandbox.caller import Caller

STREAMS = (
    *("leads", "activities", "program_members", "programs", "lists", "list_members", "campaigns", "partitions"),
    *("companies", "salespersons", "opportunities", "opportunity_roles", "named_accounts", "named_account_lists"),
    *("custom_objects/car_c", "custom_objects/purchase_c", "custom_objects/plant_c"),
)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_has_a_truth_that_repeats(stream: str) -> None:
    """Two instances of the same seed hold the same, another seed holds other rows."""
    truth = Caller().truth(stream)
    assert truth
    assert truth == Caller().truth(stream)
    if stream not in {"partitions", "list_members"}:
        assert truth != Caller(seed=8).truth(stream)


def test_a_stream_that_there_is_not_is_404() -> None:
    """A slip of a test's own script is loud."""
    assert Caller().control("GET", "truth/noSuchStream").status == 404


def test_hostile_texts_are_in_the_objects_too() -> None:
    """Quotes, line ends and the text null are not for leads alone."""
    caller = Caller(program_members=5_000)
    members = {line["seatPreference"] for line in caller.truth("program_members")}
    remarks = {line["remark"] for line in caller.truth("custom_objects/purchase_c")}
    assert set(HOSTILE_TEXTS) <= members
    assert set(HOSTILE_TEXTS) <= remarks


def test_an_empty_instance_answers_too() -> None:
    """Nothing is there, and nothing fails."""
    names = ("programs", "lists", "campaigns", "companies", "salespersons", "opportunities", "named_accounts")
    empty = dict.fromkeys((*names, "leads", "activities", "named_account_lists", "custom_object_rows"), 0)
    caller = Caller(**empty)
    assert [stream for stream in STREAMS if caller.truth(stream)] == ["partitions"]
    assert caller.get("/rest/v1/lists.json")["result"] == []
