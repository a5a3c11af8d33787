"""What is told, and what is told again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.config.service import NOTICES, NotifySettings
from syncengine.service.told.notices import KEPT, TEXT_MAX, Kind, Known, Message, Notice, discreet, judge, message_of

AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
ALL = NotifySettings(repeat_hours=24.0)
HOUR = timedelta(hours=1)


def notice(
    kind: Kind = "failure",
    subject: str = "nightly",
    text: str = "It broke.",
    after: timedelta = timedelta(),
    key: str = "",
) -> Notice:
    return Notice(kind=kind, instance="acme", subject=subject, text=text, at=AT + after, key=key)


def told(notices: Sequence[Notice], settings: NotifySettings = ALL, known: Known | None = None) -> list[Message | None]:
    """What becomes of each, with all that is known written down and read again in between."""
    messages, known = [], known or Known()
    for each in notices:
        known, message = judge(known, each, settings)
        known = Known.of(orjson.loads(orjson.dumps(known)))
        messages.append(message)
    return messages


def is_told(notices: Sequence[Notice], settings: NotifySettings = ALL) -> list[bool]:
    return [message is not None for message in told(notices, settings)]


def test_a_failure_is_told_when_it_begins_and_after_a_day_with_how_often() -> None:
    """In between it is only counted; the count begins anew with each telling."""
    hours = (0, 1, 23.9, 24, 25, 48)
    messages = told([notice(after=hour * HOUR) for hour in hours])
    assert [True, False, False, True, False, True] == [message is not None for message in messages]
    began = "it began at 2026-03-02 02:30Z."
    assert messages[3] is not None
    assert f"Since it was last told it has happened 3 times; {began}" in messages[3].text
    assert messages[5] is not None
    assert f"Since it was last told it has happened 2 times; {began}" in messages[5].text


def test_each_subject_has_its_own_trouble() -> None:
    """That one group fails says nothing of another, nor of the same group elsewhere."""
    elsewhere = Notice(kind="failure", instance="emea", subject="nightly", text="It broke.", at=AT)
    assert [True, True, True, False] == is_told([notice(), notice(subject="weekly"), elsewhere, notice()])


def test_a_recovery_is_told_once_and_only_after_a_failure_that_was() -> None:
    """It says when the failure began, and the next failure is a new one."""
    messages = told(
        [notice("recovery"), notice(), notice(after=HOUR), notice("recovery"), notice("recovery"), notice()]
    )
    assert [False, True, False, True, False, True] == [message is not None for message in messages]
    assert messages[3] is not None
    assert "acme: nightly works again" == messages[3].title
    expected = "The failure began at 2026-03-02 02:30Z, and has happened once more since it was last told."
    assert expected in messages[3].text


def test_a_recovery_that_nobody_wants_to_hear_of_still_ends_the_failure() -> None:
    """Otherwise the next failure would be taken for the old one."""
    settings = NotifySettings(on=("failure",))
    assert [True, False, True] == is_told([notice(), notice("recovery"), notice()], settings)


def test_a_failure_that_nobody_wants_to_hear_of_has_no_recovery() -> None:
    """What was not told is not taken back."""
    assert [False, False] == is_told([notice(), notice("recovery")], NotifySettings(on=("recovery",)))


def test_a_quota_is_told_once_for_each_day_of_it() -> None:
    """The words may differ, since the percentage does; the key is the day's."""
    calls = [notice("quota", "calls", f"{part} % are used.", key="2026-03-03T06:00Z") for part in (80, 90)]
    next_day = notice("quota", "calls", "80 % are used.", key="2026-03-04T06:00Z")
    other = notice("quota", "export megabytes", "80 % are used.", key="2026-03-03T06:00Z")
    assert [True, False, True, True, False] == is_told([*calls, next_day, other, next_day])


def test_a_change_of_a_schema_is_told_once() -> None:
    """The same words for the same stream are no news; other words, or another stream, are."""
    gone, new = notice("schema", "leads", "x is gone."), notice("schema", "leads", "y is new.")
    elsewhere = notice("schema", "activities", "x is gone.")
    assert [True, True, False, False, True] == is_told([gone, new, gone, new, elsewhere])


@pytest.mark.parametrize("kind", NOTICES)
def test_only_what_is_asked_for_is_told(kind: Kind) -> None:
    """A kind that is not in `on` is not told."""
    others = NotifySettings(on=tuple(each for each in NOTICES if each != kind))
    first = [notice()] if kind == "recovery" else []
    assert is_told([*first, notice(kind)])[-1]
    assert not is_told([*first, notice(kind)], others)[-1]


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    """A failure that was told far in what is now the future is told again."""
    assert [True, True] == is_told([notice(after=timedelta(days=400)), notice()])


def test_what_is_remembered_is_bounded() -> None:
    """A daemon that lives for years does not remember every notice of its life; the newest stay known."""
    known = Known()
    for number in range(KEPT + 5):
        known, _ = judge(known, notice("schema", "leads", f"{number}"), ALL)
        known, _ = judge(known, notice(subject=f"group {number}"), ALL)
    assert (KEPT, KEPT) == (len(known.once), len(known.troubles))
    newest = notice("schema", "leads", f"{KEPT + 4}"), notice(subject=f"group {KEPT + 4}")
    assert [None, None] == told(newest, known=known)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("failure", "failure", "recovery")),
        st.sampled_from(("nightly", "weekly")),
        st.integers(0, 40),
    ),
    max_size=40,
)


@given(steps=STEPS, repeat_hours=st.integers(1, 48))
def test_no_failure_is_told_too_often_or_not_at_all(
    steps: list[tuple[Literal["failure", "recovery"], str, int]], repeat_hours: int
) -> None:
    """Of every failure: its beginning, its end, and a sign of life exactly when the last is `repeat_hours` old."""
    told_at: dict[str, timedelta] = {}
    notices, expected, now = [], [], timedelta()
    for kind, subject, hours in steps:
        now += hours * HOUR
        notices.append(notice(kind, subject, after=now))
        last = told_at.get(subject)
        if kind == "recovery":
            expected.append(told_at.pop(subject, None) is not None)
        else:
            expected.append(last is None or now - last >= repeat_hours * HOUR)
            if expected[-1]:
                told_at[subject] = now
    assert expected == is_told(notices, NotifySettings(repeat_hours=repeat_hours))


def test_a_message_has_title_text_details_and_instant() -> None:
    """The first line is the title, the last says when."""
    found = Notice(
        kind="failure",
        instance="acme",
        subject="nightly",
        text="Two streams failed.",
        details=("leads: x", "Do y."),
        at=AT,
    )
    expected = "acme: nightly failed\nTwo streams failed.\n- leads: x\n- Do y.\n(2026-03-02 02:30Z)"
    assert Message(at=AT, title="acme: nightly failed", text=expected) == message_of(found)


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("failure", "credentials", "acme: credentials failed"),
        ("recovery", "nightly", "acme: nightly works again"),
        ("quota", "calls", "acme: calls of the day are running out"),
        ("schema", "leads", "acme: the schema of leads has changed"),
    ],
)
def test_a_title_says_who_what_and_how(kind: Kind, subject: str, expected: str) -> None:
    """Each kind of notice is told apart by its title."""
    assert expected == message_of(notice(kind, subject)).title


def test_a_notice_of_the_daemon_itself_names_no_instance() -> None:
    """There is no empty name before a colon."""
    assert "reload failed" == message_of(Notice(kind="failure", instance="", subject="reload", text="No.", at=AT)).title


@given(details=st.lists(st.text("xyz", min_size=1, max_size=700), max_size=60), text=st.text("abc", max_size=5_000))
def test_a_message_is_bounded_and_says_what_it_leaves_out(details: list[str], text: str) -> None:
    """Details go whole or are counted; the last line is always the instant."""
    message = message_of(Notice(kind="failure", instance="acme", subject="s", text=text, details=tuple(details), at=AT))
    lines = message.text.split("\n")
    shown = sum(line.startswith("- ") for line in lines)
    left = [line for line in lines if line.startswith("and ")]
    assert len(message.text) <= TEXT_MAX
    assert "(2026-03-02 02:30Z)" == lines[-1]
    assert ([f"and {len(details) - shown} more"] if shown < len(details) else []) == left


def test_every_text_of_a_notice_becomes_discreet() -> None:
    """No part of it is left out, and a detail with nothing left in it is no detail."""
    found = Notice(kind="schema", instance="a", subject="b", text="c", details=("d", "gone"), at=AT)
    expected = Notice(kind="schema", instance="A", subject="B", text="C", details=("D",), at=AT)
    assert expected == discreet(found, lambda text: "" if text == "gone" else text.upper())
