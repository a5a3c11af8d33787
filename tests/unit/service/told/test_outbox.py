"""What one channel sends, and when."""

from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from syncengine.service.told.notices import Message
from syncengine.service.told.outbox import HOUR, OTHERS, TITLES_MAX, Outbox, put, room_in, settled, summed

AT = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def message(title: str, at: datetime = AT) -> Message:
    return Message(at=at, title=title, text=f"{title}\nIt broke.")


def filled(count: int, most: int, at: datetime = AT) -> Outbox:
    outbox = Outbox()
    for number in range(count):
        outbox = put(outbox, message(f"g{number}", at), now=at, most=most)
    return outbox


def test_messages_are_sent_in_their_order() -> None:
    """As long as there is room, each goes by itself."""
    outbox = filled(3, most=3)
    assert ["g0", "g1", "g2"] == [each.title for each in outbox.waiting]
    assert ["g1", "g2"] == [each.title for each in settled(outbox, now=AT).waiting]


def test_what_has_no_room_is_summed_up_when_there_is_some() -> None:
    """One message for all of them, which names each title and how often it came."""
    outbox = settled(filled(1, most=1), now=AT)
    for title in ("b", "a", "b"):
        outbox = put(outbox, message(title), now=AT + MINUTE, most=1)
    early = AT + HOUR - MINUTE
    assert MINUTE == room_in(outbox, now=early, most=1)
    assert () == summed(outbox, now=early, most=1).waiting
    assert HOUR == room_in(settled(outbox, now=AT + MINUTE), now=AT + MINUTE, most=1)
    later = AT + HOUR
    (only,) = summed(outbox, now=later, most=1).waiting
    expected = "3 more notices since 2026-03-02 08:10Z, for which there was no room in the hour:\n- b (2 times)\n- a"
    assert Message(at=later, title="3 more notices", text=expected) == only


def test_nothing_overtakes_the_sum() -> None:
    """A message that comes while others are counted is counted too, even if there is room again."""
    outbox = put(settled(filled(2, most=1), now=AT), message("late"), now=AT + 2 * HOUR, most=1)
    assert ((), {"g1": 1, "late": 1}) == (outbox.waiting, outbox.over)


def test_a_sum_names_so_many_titles_and_counts_the_rest() -> None:
    """A storm of different troubles is still one message that can be read."""
    outbox = summed(settled(filled(TITLES_MAX + 31, most=1), now=AT), now=AT + HOUR, most=1)
    (only,) = outbox.waiting
    assert f"{TITLES_MAX + 30} more notices" == only.title
    assert f"- {OTHERS} (30 times)" == only.text.split("\n")[-1]


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_more_than_an_hour() -> None:
    """What was sent in what is now the future counts as sent now."""
    outbox = settled(filled(2, most=1, at=AT + 400 * 24 * HOUR), now=AT + 400 * 24 * HOUR)
    assert HOUR == room_in(outbox, now=AT, most=1)
    assert 1 == len(summed(summed(outbox, now=AT, most=1), now=AT + HOUR, most=1).waiting)


def test_without_anything_over_there_is_nothing_to_wait_for() -> None:
    """Not even when the hour is full."""
    assert room_in(settled(filled(1, most=1), now=AT), now=AT, most=1) is None


STEPS = st.lists(st.sampled_from(("put", "put", "put", "send", "send", "minutes", "half an hour")), max_size=120)


@given(steps=STEPS, most=st.integers(1, 4))
def test_no_hour_has_too_many_and_every_notice_is_sent_or_counted(steps: list[str], most: int) -> None:
    """Whatever comes when, and over any restart: the bound holds, what waits is bounded, and the sums add up."""
    outbox, now, number = Outbox(), AT, 0
    sent: list[tuple[datetime, int]] = []
    for step in [*steps, *["half an hour", "send"] * 200]:
        match step:
            case "put":
                outbox, number = put(outbox, message(f"g{number % 3}", now), now=now, most=most), number + 1
            case "send":
                outbox = summed(outbox, now=now, most=most)
                if outbox.waiting:
                    first = outbox.waiting[0].title
                    sent.append((now, int(first.split()[0]) if " more notice" in first else 1))
                    outbox = settled(outbox, now=now)
            case _:
                now += timedelta(minutes=7 if step == "minutes" else 30)
        outbox = Outbox.of(orjson.loads(orjson.dumps(outbox)))
        assert len(outbox.waiting) <= most
        assert number == outbox.notices + sum(count for _, count in sent)
    assert all(sum(start <= at < start + HOUR for at, _ in sent) <= most for start, _ in sent)
    assert 0 == outbox.notices
