"""The table of error codes: complete, well-formed, and asked with care about 1029."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.codes import Level, Verdict, lookup, table

# All codes of https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
DOCUMENTED: dict[Level, str] = {
    "http": "401 413 414",
    "response": "500 502 601 602 603 604 605 606 607 608 609 610 611 612 613 614 615 616 "
    "701 702 703 704 709 710 711 712 713 714 718 719",
    "record": "1001 1002 1003 1004 1005 1006 1007 1008 1009 1010 1011 1012 1013 1014 1015 1016 1017 1018 1019 1020 "
    "1021 1022 1025 1026 1027 1028 1029 1035 1036 1037 1042 1048 1049 1076 1077 1078 1079",
}


@pytest.mark.parametrize(
    ("level", "code"), [(level, code) for level in DOCUMENTED for code in DOCUMENTED[level].split()]
)
def test_every_documented_code_has_a_line_of_its_own(level: Level, code: str) -> None:
    """No code of Adobe's page is left to its family."""
    assert (level, code) in table()


def test_every_line_says_what_is_done() -> None:
    """Each entry has a message and an action of one sentence; advice, where given, is a sentence too."""
    for entry in table().values():
        assert entry.message
        assert entry.action.endswith(".")
        assert not entry.advice or entry.advice.endswith(".")


@pytest.mark.parametrize(
    ("level", "code"),
    [
        ("http", "401"),
        ("http", "403"),
        ("response", "603"),
        ("response", "607"),
        ("response", "606"),
        ("response", "1003"),
        ("response", "1006"),
        ("response", "1029b"),
        ("response", "1018"),
        ("response", "1026"),
        ("response", "1035"),
    ],
)
def test_a_code_that_users_meet_comes_with_advice(level: Level, code: str) -> None:
    """Nobody is left alone with a number at 8 a.m."""
    assert lookup(level, code).advice


def test_only_the_starred_codes_and_unsent_calls_are_free() -> None:
    """Adobe stars six codes as not counted; a call that never left costs nothing either."""
    free = {entry.code for entry in table().values() if not entry.billed}
    assert free == {"601", "602", "604", "605", "608", "611", "NET_PRE"}


@pytest.mark.parametrize("code", ["601", "602", "606", "607", "608", "615", "1016", "1019", "1029a", "1029b", "1029"])
def test_a_proven_refusal_may_be_sent_again(code: str) -> None:
    """Such an answer states that a create was not executed."""
    assert not lookup("response", code).unsafe_on_create


@pytest.mark.parametrize(
    ("level", "code"),
    [
        ("http", "NET_POST"),
        ("http", "2XX_NOT_JSON"),
        ("http", "500"),
        ("http", "502"),
        ("http", "503"),
        ("http", "504"),
        ("http", "599"),
        ("response", "500"),
        ("response", "502"),
        ("response", "604"),
        ("response", "611"),
        ("response", "713"),
        ("response", "699"),
    ],
)
def test_an_open_outcome_is_marked(level: Level, code: str) -> None:
    """After such an answer a create or import may have been executed."""
    assert lookup(level, code).unsafe_on_create


def test_an_open_outcome_is_always_a_retry() -> None:
    """A verdict other than RETRY proves that the call was understood and not executed."""
    assert {entry.verdict for entry in table().values() if entry.unsafe_on_create} == {Verdict.RETRY}


@pytest.mark.parametrize("level", ["response", "record"])
@pytest.mark.parametrize(
    ("message", "key", "verdict"),
    [
        ("Too many jobs in queue", "1029a", Verdict.RETRY),
        ("TOO MANY JOBS (10) IN QUEUE", "1029a", Verdict.RETRY),
        ("Too many jobs (10) already in queue", "1029a", Verdict.RETRY),
        ("Export daily quota exceeded", "1029b", Verdict.PAUSE),
        ("Export daily quota 2048MB exceeded.", "1029b", Verdict.PAUSE),
        ("export Daily Quota reached", "1029b", Verdict.PAUSE),
        ("Job already queued", "1029c", Verdict.NOOP),
        ("job is ALREADY in the queue", "1029c", Verdict.NOOP),
        ("something else", "1029", Verdict.RETRY),
        ("", "1029", Verdict.RETRY),
    ],
)
def test_the_three_meanings_of_1029_are_told_apart(level: Level, message: str, key: str, verdict: Verdict) -> None:
    """A full queue is a wait, a spent quota a pause, a queued job a success."""
    entry = lookup(level, "1029", message)
    assert (key, verdict) == (entry.code, entry.verdict)


@pytest.mark.parametrize(
    ("level", "code", "key", "verdict"),
    [
        ("response", "699", "6xx_UNKNOWN", Verdict.RETRY),
        ("response", "799", "7xx_UNKNOWN", Verdict.FATAL),
        ("response", "1999", "1xxx_UNKNOWN", Verdict.FATAL),
        ("record", "1999", "1xxx_UNKNOWN", Verdict.SKIP_RECORD),
        ("response", "1004", "1xxx_UNKNOWN", Verdict.FATAL),
        ("response", "503", "5xx_UNKNOWN", Verdict.RETRY),
        ("response", "banana", "UNKNOWN", Verdict.FATAL),
        ("response", "", "UNKNOWN", Verdict.FATAL),
        ("record", "699", "UNKNOWN", Verdict.SKIP_RECORD),
        ("http", "302", "3XX_UNKNOWN", Verdict.FATAL),
        ("http", "699", "UNKNOWN", Verdict.RETRY),
    ],
)
def test_a_code_of_tomorrow_is_judged_by_its_family(level: Level, code: str, key: str, verdict: Verdict) -> None:
    """An unknown code is neither fatal nor repeated by accident."""
    entry = lookup(level, code)
    assert (key, verdict) == (entry.code, entry.verdict)


@settings(deadline=None)
@given(level=st.sampled_from(["http", "response", "record"]), code=st.text(max_size=12), message=st.text(max_size=40))
def test_every_code_has_an_entry(level: Level, code: str, message: str) -> None:
    """No text that stands for a code makes the lookup fail."""
    assert lookup(level, code, message).verdict in Verdict
