"""Tests of the fault script."""

from typing import Any

import pytest

from syncengine.sandbox.faults import FaultScript, damage_of, parsed_rule
from tests.unit.sandbox.caller import Caller, code_of, content_of, value_of

USAGE = ("GET", "/rest/v1/stats/usage.json")


def struck(rule: dict[str, Any], calls: int) -> list[int]:
    """Numbers of the calls that the rule strikes."""
    script = FaultScript([{"action": "error", **rule}], seed=1)
    return [number for number in range(1, calls + 1) if script.strike("GET", "/a/b.json", float(number))]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"from": 2, "until": 4}, [2, 3]),
        ({"path": "/a/*"}, [1, 2, 3, 4, 5, 6]),
        ({"path": "*/file.json"}, []),
        ({"method": "POST"}, []),
        ({"probability": 0.0}, []),
    ],
)
def test_a_rule_strikes_the_calls_that_it_names(rule: dict[str, Any], expected: list[int]) -> None:
    """Path, method, time, count and chance all have to agree."""
    assert expected == struck(rule, 6)


def test_chance_follows_the_seed() -> None:
    """The same script strikes the same calls."""
    rule = {"probability": 0.3}
    assert struck(rule, 200) == struck(rule, 200)
    assert 30 < len(struck(rule, 200)) < 90


def test_the_first_rule_that_strikes_is_the_only_one() -> None:
    """Later rules still count the call."""
    rules = [{"action": "error", "code": "608", "nth": 1}, {"action": "error", "code": "713", "nth": 2}]
    script = FaultScript(rules, seed=1)
    hits = [script.strike("GET", "/", 0.0) for _ in range(3)]
    assert [hit.code if hit else "" for hit in hits] == ["608", "713", ""]


@pytest.mark.parametrize("rule", [{"action": "explode"}, {"action": "error", "nht": 1}, {}])
def test_a_rule_that_cannot_be_read_is_refused(rule: dict[str, Any]) -> None:
    """A misspelt key is an error, not a rule that never strikes."""
    with pytest.raises(ValueError, match="fault"):
        parsed_rule(rule)


def test_errors_and_pages_replace_the_answer() -> None:
    """An envelope with a code, or an HTML page with a status, even with 200."""
    rules = [
        {"action": "error", "code": "713", "message": "Transient Error", "nth": 1, "path": "*usage*"},
        {"action": "http", "status": 502, "nth": 2, "path": "*usage*"},
        {"action": "http", "status": 200, "body": "<p>Maintenance</p>", "nth": 3, "path": "*usage*"},
    ]
    caller = Caller(faults=tuple(rules))
    assert code_of(caller.call(*USAGE)) == "713"
    gateway, maintenance = caller.call(*USAGE), caller.call(*USAGE)
    assert (gateway.status, gateway.headers["Content-Type"]) == (502, "text/html;charset=UTF-8")
    assert (maintenance.status, maintenance.body) == (200, b"<p>Maintenance</p>")


def test_a_lost_answer_was_carried_out_and_a_lost_call_was_not() -> None:
    """After drop_after the job exists, after drop_before it does not; both leave nothing on the wire."""
    for action, jobs in (("drop_before", 0), ("drop_after", 1)):
        caller = Caller(faults=({"action": action, "path": "*create.json"},))
        caller.login()
        body = {"fields": ["id"], "filter": {"createdAt": {"startAt": "2026-01-01T00:00:00Z"}}}
        body["filter"]["createdAt"]["endAt"] = "2026-01-02T00:00:00Z"  # type: ignore[index]  # a literal of mixed depth
        exchange = caller.arrive("POST", "/bulk/v1/leads/export/create.json", body)
        assert exchange.is_dropped
        listed = value_of(caller.call("GET", "/bulk/v1/leads/export.json"))["result"]
        assert jobs == len(listed)


def test_a_range_can_be_ignored() -> None:
    """The whole file comes with 200 where a part was asked."""
    caller = Caller(faults=({"action": "ignore_range", "path": "*file.json"},))
    job_id = caller.queued()
    caller.now += 180
    answer = caller.file(job_id, Range="bytes=10-")
    assert answer.status == 200
    assert len(content_of(answer)) == caller.job(job_id)["fileSize"]


def test_a_job_can_end_badly() -> None:
    """The outcome is fixed when the job is created and shown when it ends, in the spelling that was asked."""
    outcome = {"action": "outcome", "path": "*create.json", "status": "Canceled", "seconds": 5}
    caller = Caller(faults=(outcome,))
    job_id = caller.queued()
    caller.now += 60
    assert caller.job(job_id)["status"] == "Canceled"


def test_latency_is_added() -> None:
    """The wait grows by the rule's seconds."""
    caller = Caller(faults=({"action": "latency", "seconds": 40, "path": "*usage*"},))
    caller.login()
    assert caller.arrive(*USAGE).latency_seconds == 40


@pytest.mark.parametrize("action", ["truncate", "reset", "stall", "flip"])
def test_damage_carries_its_place(action: str) -> None:
    """What the wire does, and where in the body."""
    damage = damage_of(parsed_rule({"action": action, "bytes": 9, "seconds": 2}))
    assert (damage.kind, damage.at_byte, damage.seconds) == (action, 9, 2)


def test_a_cut_strikes_before_the_call_is_one() -> None:
    """It is asked for on its own, counts the calls it covers, and never strikes a call that has come whole."""
    script = FaultScript([{"action": "cut", "path": "/bulk/*", "bytes": 9, "nth": 2}], seed=1)
    calls = [("POST", "/bulk/v1/leads.json"), ("POST", "/rest/v1/leads.json"), ("POST", "/bulk/v1/leads.json")]
    assert [script.cut(method, path, 0.0) for method, path in calls] == [None, None, 9]
    assert script.strike("POST", "/bulk/v1/leads.json", 0.0) is None
