"""Tests of the control path."""

import orjson
import pytest

from syncengine.sandbox.messages import Response, StreamBody
from tests.unit.sandbox.caller import Caller, value_of


def lines_of(response: Response) -> list[dict[str, object]]:
    """The JSON lines of a truth."""
    assert isinstance(response.body, StreamBody)
    return [orjson.loads(line) for line in b"".join(response.body.parts).splitlines()]


@pytest.mark.parametrize("headers", [{}, {"X-Sandbox-Key": "wrong"}])
def test_without_the_key_there_is_no_control_path(headers: dict[str, str]) -> None:
    """It answers 404 like any page that does not exist."""
    assert Caller().call("GET", "/__sandbox__/counters", headers=headers).status == 404


def test_control_calls_are_neither_limited_nor_counted() -> None:
    """Any number of them changes no limit and no counter."""
    caller = Caller(calls_per_window=2)
    for _ in range(50):
        caller.control("GET", "clock")
    report = value_of(caller.control("GET", "counters"))
    assert (report["calls"], report["largest_window"]) == ({"identity": 1}, 1)


def test_a_change_touches_what_it_says() -> None:
    """Updated, added leads and activities are named, and a second truth shows them."""
    caller = Caller()
    caller.now += 100
    done = value_of(caller.control("POST", "change", {"update_leads": 10, "add_leads": 2, "add_activities": 3}))
    assert (len(set(done["updated_leads"])), len(done["added_leads"]), len(done["added_activities"])) == (10, 2, 3)
    leads = lines_of(caller.control("GET", "truth/leads"))
    touched = {lead["id"] for lead in leads if lead["updatedAt"] == done["now"]}
    assert touched == {*done["updated_leads"], *done["added_leads"]}
    assert len(lines_of(caller.control("GET", "truth/activities"))) == 603


def test_a_seed_repeats_a_change() -> None:
    """Two instances that get the same change hold the same people."""
    truths = []
    for _ in range(2):
        caller = Caller()
        caller.control("POST", "change", {"update_leads": 20, "seed": 5})
        truths.append(lines_of(caller.control("GET", "truth/leads")))
    assert truths[0] == truths[1]


def test_explicit_values_are_set() -> None:
    """Leads and activities can be given as they shall be."""
    caller = Caller()
    asked = {
        "leads": [{"id": 1001, "nickname": "null", "lastPurchaseAt": "2024-03-01T12:00:00+02:00"}],
        "new_leads": [{"email": "a@example.com"}],
        "new_activities": [{"leadId": 1001, "activityTypeId": 6, "attributes": "{}"}],
    }
    done = value_of(caller.control("POST", "change", asked))
    lead = lines_of(caller.control("GET", "truth/leads"))[0]
    assert (lead["nickname"], lead["lastPurchaseAt"]) == ("null", "2024-03-01T10:00:00Z")
    assert done["updated_leads"] == [1001]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("change", {"uptade_leads": 3}),
        ("change", {"leads": [{"nickname": "x"}]}),
        ("change", {"leads": [{"id": 1, "nickname": "x"}]}),
        ("change", {"update_leads": 10_000}),
        ("faults", [{"action": "explode"}]),
        ("change", b"{"),
    ],
)
def test_what_cannot_be_done_is_400_with_a_reason(action: str, body: object) -> None:
    """A mistake in a test's own script is loud."""
    response = Caller().control("POST", action, body)
    assert response.status == 400
    assert value_of(response)["error"]


def test_counters_can_be_reset_and_faults_replaced() -> None:
    """Both take effect for the next call."""
    caller = Caller()
    caller.call("GET", "/rest/v1/stats/usage.json")
    caller.control("POST", "counters/reset")
    caller.control("POST", "faults", {"rules": [{"action": "http", "status": 503}]})
    assert caller.call("GET", "/rest/v1/stats/usage.json").status == 503
    assert value_of(caller.control("GET", "counters"))["calls"] == {"usage": 1}
    caller.control("POST", "faults", [])
    assert caller.call("GET", "/rest/v1/stats/usage.json").status == 200


def test_the_clock_is_the_instances() -> None:
    """Text and number name the same instant."""
    assert value_of(Caller().control("GET", "clock")) == {"now": "2026-01-15T12:00:00Z", "unix_seconds": 1768478400.0}
