"""What is decided about every code of the table, and what retries may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.marketo.call import Repeat
from syncengine.marketo.codes import CodeEntry, Verdict, table
from syncengine.transport.retry import (
    BACKOFF_MAX_SECONDS,
    BUDGET_SECONDS,
    WAITS,
    Patience,
    Refresh,
    RetryBudget,
    Stop,
    Tries,
    Wait,
    decide,
)

ENTRIES = list(table().values())
FIRST = Tries(failed=1, refreshed=0, waited=0, elapsed=0.0)
STOPS = {
    Verdict.PAUSE: {Stop.QUOTA_CALLS, Stop.QUOTA_EXPORT},
    Verdict.SPLIT: {Stop.TOO_LARGE},
    Verdict.NOOP: {Stop.ALREADY},
    Verdict.FALLBACK: {Stop.UNSUPPORTED},
    Verdict.FATAL: {Stop.REJECTED, Stop.PERMISSION, Stop.CREDENTIALS, Stop.GONE},
    Verdict.SKIP_RECORD: {Stop.REJECTED, Stop.GONE},
}
every_code = pytest.mark.parametrize("entry", ENTRIES, ids=lambda each: f"{each.level}-{each.code}")


def decided(entry: CodeEntry, repeat: Repeat = Repeat.SAFE, tries: Tries = FIRST, *, authorized: bool = True) -> object:
    return decide(entry, repeat, tries, Patience(), authorized=authorized)


def line(level: str, code: str) -> CodeEntry:
    return next(each for each in ENTRIES if (each.level, each.code) == (level, code))


@every_code
@pytest.mark.parametrize("repeat", list(Repeat), ids=lambda each: each.value)
def test_a_decision_follows_the_verdict(entry: CodeEntry, repeat: Repeat) -> None:
    """Each code is waited on, refreshed or ended as its line says, whatever the call."""
    answer = decided(entry, repeat)

    if repeat is Repeat.UNSAFE and entry.unsafe_on_create:
        assert answer is Stop.UNKNOWN
    elif entry.verdict is Verdict.REFRESH or entry.code == "401":
        assert Refresh() == answer
    elif entry.code == "404":
        assert answer is Stop.GONE
    elif entry.verdict is Verdict.RETRY:
        assert isinstance(answer, Wait)
        assert (entry.code not in WAITS) == answer.charged
    else:
        assert answer in STOPS[entry.verdict]


@given(
    failed=st.integers(1, 50),
    refreshed=st.integers(0, 4),
    waited=st.integers(0, 10_000),
    elapsed=st.floats(0, 1e6),
)
def test_an_import_is_never_repeated_blindly(failed: int, refreshed: int, waited: int, elapsed: float) -> None:
    """An answer that leaves open what happened ends a call that may double rows, however it came to it."""
    tries = Tries(failed, refreshed, waited, elapsed)
    unknown = [entry for entry in ENTRIES if decided(entry, Repeat.UNSAFE, tries) is Stop.UNKNOWN]

    assert [entry for entry in ENTRIES if entry.unsafe_on_create] == unknown


@given(failed=st.integers(1, 50), waited=st.integers(0, 10_000), elapsed=st.floats(0, 1e6))
def test_no_call_is_tried_for_ever(failed: int, waited: int, elapsed: float) -> None:
    """Past the patience in tries, time and tokens there is no further try; before it, waits are finite and ordered."""
    patience = Patience()
    for entry in ENTRIES:
        answer = decided(entry, tries=Tries(failed, 0, waited, elapsed))
        if isinstance(answer, Wait):
            assert 0.0 <= answer.shortest <= answer.longest <= 240.0
            assert failed < patience.tries if answer.charged else elapsed < patience.wait_seconds
        assert isinstance(decided(entry, tries=Tries(failed + 50, 3, waited, elapsed + 1e6)), Stop)


@pytest.mark.parametrize(
    ("level", "code", "stop"),
    [
        ("response", "603", Stop.PERMISSION),
        ("http", "403", Stop.PERMISSION),
        ("response", "607", Stop.QUOTA_CALLS),
        ("response", "1029b", Stop.QUOTA_EXPORT),
        ("response", "1029c", Stop.ALREADY),
        ("http", "404", Stop.GONE),
        ("response", "610", Stop.GONE),
        ("http", "413", Stop.TOO_LARGE),
        ("response", "1035", Stop.UNSUPPORTED),
        ("http", "3XX_UNKNOWN", Stop.REJECTED),
    ],
)
def test_ends_have_their_reasons(level: str, code: str, stop: Stop) -> None:
    """The codes that the engine reacts to by name end as what they are."""
    assert stop is decided(line(level, code))


def test_identitys_401_is_about_the_credentials() -> None:
    """Without a token in the call, 401 ends it; with one, a gateway's 401 is worth one new token."""
    entry = line("http", "401")
    again = Tries(failed=1, refreshed=1, waited=0, elapsed=0.0)

    assert Stop.CREDENTIALS is decided(entry, authorized=False)
    assert [Refresh(), Stop.CREDENTIALS] == [decided(entry), decided(entry, tries=again)]


def test_failures_back_off_under_a_doubling_cap() -> None:
    """Waits are drawn from zero to 1, 2, 4, 8 seconds, and the fifth failure is the last."""
    entry = line("http", "503")
    answers = [decided(entry, tries=Tries(failed, 0, 0, 0.0)) for failed in range(1, 6)]

    assert [Wait(0.0, longest, charged=True) for longest in (1.0, 2.0, 4.0, 8.0)] == answers[:4]
    assert Stop.UNAVAILABLE is answers[4]
    assert Wait(0.0, BACKOFF_MAX_SECONDS, charged=True) == decide(
        entry, Repeat.SAFE, Tries(5_000, 0, 0, 0.0), Patience(tries=10_000), authorized=True
    )


def test_a_full_queue_is_waited_for_in_minutes() -> None:
    """Queues are asked again after up to 1, 2, then 4 minutes, as often as the time allowed, without being charged."""
    answers = [decided(line("response", "1029a"), tries=Tries(1, 0, waited, 0.0)) for waited in (0, 1, 2, 5_000)]

    assert [Wait(30.0, longest, charged=False) for longest in (60.0, 120.0, 240.0, 240.0)] == answers


def test_the_budget_has_a_floor() -> None:
    """Ten retries are always there, so that a lone call is not given up for want of others."""
    budget = RetryBudget()
    budget.first_try(0.0)

    assert [True] * 10 + [False] == [budget.take(1.0) for _ in range(11)]


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.booleans()), max_size=600))
def test_retries_stay_a_tenth_of_first_tries(moves: list[tuple[float, bool]]) -> None:
    """In any two minutes, retries taken are at most a tenth of the first tries, or ten."""
    budget, now = RetryBudget(), 0.0
    firsts: list[float] = []
    taken: list[float] = []
    for pause, is_first in moves:
        now += pause
        if is_first:
            firsts.append(now)
            budget.first_try(now)
            continue
        recent = [sum(at > now - BUDGET_SECONDS for at in times) for times in (firsts, taken)]
        allowed = recent[1] < max(10, 0.10 * recent[0])
        assert allowed == budget.take(now)
        if allowed:
            taken.append(now)


# What each answer to a call that may double rows says about it. Together they are the whole table.
REFUSED = """
    NET_PRE 401 403 404 413 414 416 429 206_MISMATCH 3XX_UNKNOWN 4XX_UNKNOWN 401013 403010 404040 429001 4000801 4000802
    4030801 4290801 601 602 603 605 606 607 608 609 610 612 613 615 616 701 702 703 704 709 710 711 712 714 718 1003
    1006 1011 1013 1014 1016 1018 1019 1026 1029 1029a 1029b 1029c 1035 7xx_UNKNOWN 1xxx_UNKNOWN JOB_FAILED JOB_CANCELED
"""
OPEN = "NET_POST 408 500 502 503 504 2XX_NOT_JSON 5000801 5XX_UNKNOWN 604 611 614 713 719 5xx_UNKNOWN 6xx_UNKNOWN"


@pytest.mark.parametrize("entry", [each for each in ENTRIES if each.level != "record"], ids=lambda each: each.code)
def test_every_answer_to_an_import_is_a_refusal_or_leaves_it_open(entry: CodeEntry) -> None:
    """An import is sent again only after what proves that it was not taken; both lists are spelled out here."""
    is_open = decided(entry, Repeat.UNSAFE) is Stop.UNKNOWN

    if entry.code == "UNKNOWN":
        assert (entry.level == "http") == is_open
    else:
        assert [is_open, not is_open] == [entry.code in OPEN.split(), entry.code in REFUSED.split()]


@pytest.mark.parametrize(
    "code", ["NET_PRE", "601", "602", "606", "608", "615", "1016", "1019", "1029", "1029a", "429", "429001"]
)
def test_a_refused_import_is_sent_again(code: str) -> None:
    """Limits, queues, tokens and broken sending end in another try of the same body."""
    entry = next(each for each in ENTRIES if each.code == code and each.level != "record")

    assert isinstance(decided(entry, Repeat.UNSAFE), Wait | Refresh)


@pytest.mark.parametrize("code", ["1016", "1019", "1029", "1029a"])
def test_a_full_queue_is_told_at_once_to_who_wants_to_know(code: str) -> None:
    """With no patience for queues the call ends, unharmed, as unavailable; with some, when that is used up."""
    entry = line("response", code)
    cases = [(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, None)]
    answers = [
        decide(entry, Repeat.UNSAFE, Tries(1, 0, 0, elapsed), Patience(queue_seconds=bound), authorized=True)
        for elapsed, bound in cases
    ]
    assert [True, False, True, False] == [answer is Stop.UNAVAILABLE for answer in answers]


@pytest.mark.parametrize("code", ["606", "615"])
def test_the_instances_limits_are_no_queue(code: str) -> None:
    """They open within seconds, and are waited for whatever the patience for queues."""
    answer = decide(line("response", code), Repeat.UNSAFE, FIRST, Patience(queue_seconds=0.0), authorized=True)
    assert isinstance(answer, Wait)
