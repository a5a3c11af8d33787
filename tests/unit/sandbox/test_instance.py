"""Tests of how an instance judges calls."""

import pytest

from syncengine.sandbox.instance import Instance
from tests.unit.sandbox.caller import Caller, code_of, small_options, value_of

USAGE = ("GET", "/rest/v1/stats/usage.json")


def test_the_hundred_and_first_call_in_twenty_seconds_is_refused() -> None:
    """The call that gave the token counts, the refusal carries Marketo's words, and a refused call counts as well."""
    caller = Caller()
    codes = [code_of(caller.call(*USAGE)) for _ in range(100)]
    assert codes == [""] * 99 + ["606"]
    refused = value_of(caller.call(*USAGE))["errors"][0]
    assert refused["message"] == "Max rate limit '100' exceeded with in '20' secs"
    caller.now += 19.9
    assert code_of(caller.call(*USAGE)) == "606"
    caller.now += 0.1
    assert code_of(caller.call(*USAGE)) == ""


def test_a_client_that_hammers_a_full_window_keeps_it_full() -> None:
    """Refused calls take places, so that only waiting helps."""
    caller = Caller(calls_per_window=5)
    caller.login()
    codes = []
    for _ in range(40):
        caller.now += 1
        codes.append(code_of(caller.call(*USAGE)))
    assert codes[4:] == ["606"] * 36


def test_the_eleventh_call_in_flight_is_refused() -> None:
    """A place is free again when a call has departed, and departing twice frees one place only."""
    caller = Caller()
    caller.login()
    flying = [caller.arrive(*USAGE) for _ in range(10)]
    eleventh = caller.arrive(*USAGE)
    assert value_of(eleventh.response)["errors"] == [{"code": "615", "message": "Concurrent access limit '10' reached"}]
    for exchange in (eleventh, flying[0], flying[0]):
        caller.instance.depart(exchange, caller.now)
    assert code_of(caller.arrive(*USAGE).response) == ""
    assert code_of(caller.arrive(*USAGE).response) == "615"
    assert caller.instance.report()["most_in_flight"] == 11


def test_the_days_calls_run_out_and_come_back_at_midnight() -> None:
    """Calls of the identity endpoint are not among them."""
    caller = Caller(calls_per_day=3, token_seconds=10**6)
    for _ in range(3):
        caller.login()
    assert [code_of(caller.call(*USAGE)) for _ in range(4)] == ["", "", "", "607"]
    caller.now += 86_400
    assert code_of(caller.call(*USAGE)) == ""


def test_starred_codes_are_free() -> None:
    """Calls answered 601, 602 or 605 cost neither a place in the window nor one of the day's calls."""
    caller = Caller(calls_per_window=3, calls_per_day=3, token_seconds=100)
    caller.login()
    for _ in range(10):
        assert code_of(caller.call(*USAGE, headers={"Authorization": "Bearer stranger"})) == "601"
        assert code_of(caller.call("PUT", USAGE[1])) == "605"
    assert code_of(caller.call(*USAGE)) == ""
    assert caller.instance.limits.window.count(caller.now) == 2
    assert caller.instance.limits.calls.used(caller.now) == 1


def test_an_unknown_path_is_610_and_counts() -> None:
    """Paths are exact; a wrong one costs a call."""
    caller = Caller()
    caller.login()
    paths = ["/rest/v1/leads", "/bulk/v1/leads/export/a/b/status.json", "/identity/oauth/tokens", "/bulk/"]
    assert [code_of(caller.call("GET", path)) for path in paths] == ["610"] * 4
    assert caller.instance.limits.calls.used(caller.now) == 4


@pytest.mark.parametrize("path", ["/", "/bulk", "//rest/v1/leads/describe.json", "/robots.txt"])
def test_pages_beside_the_api_are_404_and_count_nowhere(path: str) -> None:
    """They never reach the API, so they take no place in the window."""
    caller = Caller()
    caller.login()
    assert caller.call("GET", path).status == 404
    assert caller.instance.limits.window.count(caller.now) == 1


def test_calls_that_are_too_large_are_refused_below_the_envelope() -> None:
    """Over 8 KB of URI is 414, over 1 MB of body 413."""
    caller = Caller()
    long_query = {"filterValues": "x" * 8_000}
    assert caller.call(*USAGE, query=long_query).status == 414
    assert caller.call("POST", "/bulk/v1/leads/export/create.json", b"x" * 1_000_001).status == 413


def test_a_long_query_travels_in_the_body_of_a_post() -> None:
    """`_method=GET` in the URL makes a GET of it."""
    caller = Caller()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = "/bulk/v1/leads/export.json"
    body = b"status=Completed&batchSize=1&x=" + b"y" * 9_000
    assert code_of(caller.call("POST", path, body, query={"_method": "GET"}, headers=form)) == ""
    assert code_of(caller.call("POST", path, body, headers=form)) == "605"


def test_latency_lies_in_its_range_and_repeats_with_the_seed() -> None:
    """The same options give the same waits."""
    waits = []
    for _ in range(2):
        caller = Caller(latency_seconds=(0.02, 0.4), calls_per_window=1_000)
        caller.login()
        waits.append([caller.arrive(*USAGE).latency_seconds for _ in range(50)])
    assert waits[0] == waits[1]
    assert all(0.02 <= wait <= 0.4 for wait in waits[0])
    assert len(set(waits[0])) > 40


def test_usage_counts_the_days_calls() -> None:
    """The usage call reports what was counted before it."""
    caller = Caller()
    for _ in range(3):
        caller.call(*USAGE)
    day = value_of(caller.call(*USAGE))["result"][0]
    assert (day["date"], day["total"]) == ("2026-01-15", 3)
    assert day["users"] == [{"userId": "api@123-abc-456.example", "count": 3}]
    week = value_of(caller.call("GET", "/rest/v1/stats/usage/last7days.json"))["result"]
    assert [entry["total"] for entry in week] == [4]


def test_describe_has_entries_without_a_rest_block() -> None:
    """Readers must not expect a REST name everywhere; describe2 lists REST fields only."""
    caller = Caller()
    described = value_of(caller.call("GET", "/rest/v1/leads/describe.json"))["result"]
    described2 = value_of(caller.call("GET", "/rest/v1/leads/describe2.json"))["result"][0]
    named = [entry["rest"]["name"] for entry in described if "rest" in entry]
    assert len(described) - len(named) == 3
    assert named == [entry["name"] for entry in described2["fields"]]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_repeats_an_instance(seed: int) -> None:
    """Tokens, job ids and people follow from the seed."""
    twins = [Caller(seed=seed), Caller(seed=seed)]
    tokens = [value_of(twin.login())["access_token"] for twin in twins]
    jobs = [twin.queued() for twin in twins]
    truths = [b"".join(twin.instance.people.truth()) for twin in twins]
    assert tokens[0] == tokens[1]
    assert jobs[0] == jobs[1]
    assert truths[0] == truths[1]
    assert truths[0] != b"".join(Instance(small_options(seed=seed + 2)).people.truth())
