"""Tests of custom objects."""

from syncengine.sandbox.custom_objects import OBJECT_TYPES
from tests.unit.sandbox.caller import Caller


def test_only_what_hangs_on_leads_can_be_exported() -> None:
    """A draft cannot, nor what is linked to companies."""
    assert [name for name, kind in OBJECT_TYPES.items() if kind.is_exportable] == ["car_c", "purchase_c"]


def test_keys_are_unique_and_links_lead_somewhere() -> None:
    """Dedupe fields make a row out, leads and companies exist."""
    caller = Caller()
    leads = {line["id"] for line in caller.truth("leads")}
    companies = {line["externalCompanyId"] for line in caller.truth("companies")}
    for name, targets in (("car_c", leads), ("purchase_c", leads), ("plant_c", companies)):
        kind, lines = OBJECT_TYPES[name], caller.truth(f"custom_objects/{name}")
        assert kind.link is not None
        assert len({tuple(line[field] for field in kind.dedupe) for line in lines}) == len(lines) == 1_000
        assert {line[kind.link[0]] for line in lines} <= targets


def test_the_winner_of_a_merge_owns_the_losers_cars() -> None:
    """The link follows the lead; a deleted lead's cars are out of reach."""
    caller = Caller()
    before = caller.truth("custom_objects/car_c")
    loser, other = before[0]["leadID"], next(line["leadID"] for line in before if line["leadID"] != before[0]["leadID"])
    winner = next(lead_id for lead_id in range(1001, 1301) if lead_id not in {loser, other})
    caller.change(merge_leads=[[winner, loser]], delete_leads=[other])
    after = caller.truth("custom_objects/car_c")
    assert after[0] == before[0] | {"leadID": winner}
    assert {line["vIN"] for line in before} - {line["vIN"] for line in after} == {
        line["vIN"] for line in before if line["leadID"] == other
    }
