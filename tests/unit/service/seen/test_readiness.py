"""When /readyz says no."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.config import GroupSettings
from syncengine.service.schedule.nights import OUTCOMES, NightReport
from syncengine.service.seen.readiness import late, unready
from syncengine.service.standing import GroupStanding
from tests.unit.service.seen.seen import all_seen, seen
from tests.unit.service.seen.written import NOW, night

SIX_HOURS = {"nightly": GroupSettings(cron="30 2 * * *", done_within_hours=6.0)}
FIVE_HOURS = {"nightly": GroupSettings(cron="30 2 * * *", done_within_hours=5.0)}


def reasons(*nights: NightReport, schedule: Any = FIVE_HOURS, standing: GroupStanding | None = None) -> list[str]:
    """Why the daemon is not ready at eight, for nights that were due at half past two."""
    return [each.text for each in late(schedule, (standing,) if standing else (), nights, NOW)]


def test_before_the_first_night_it_is_ready() -> None:
    """A daemon of an hour's age has missed nothing."""
    assert [] == reasons()
    assert [] == unready(all_seen())


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "done"])
def test_a_night_that_is_not_whole_in_its_time_is_a_reason(outcome: str) -> None:
    """Whatever kept it from being whole, and with the first of its problems."""
    (said,) = reasons(night(0, outcome, problems=("leads: no room",)), night(1))
    assert f"the night that was due at 2026-03-02 02:30Z is {outcome}: leads: no room" == said


def test_a_night_still_has_its_time() -> None:
    """Within its hours a night may fail and be tried again; what counts is the one before it."""
    assert [] == reasons(night(0, "failed"), night(1), schedule=SIX_HOURS)
    assert 1 == len(reasons(night(0, ""), night(1, "partial"), schedule=SIX_HOURS))


def test_a_night_that_runs_past_its_time_is_a_reason() -> None:
    """Five and a half hours are more than five."""
    assert ["the night that was due at 2026-03-02 02:30Z is still running"] == reasons(night(0, ""))


def test_a_later_whole_night_makes_up_for_an_earlier_one() -> None:
    """What one did not bring, the next has brought, even while it still had its time."""
    assert [] == reasons(night(0), night(1, "failed"), schedule=SIX_HOURS)


def test_a_group_that_waits_for_somebody_is_a_reason_at_once() -> None:
    """Refused credentials do not mend themselves; a quota does, in the time that the night has."""
    parked = GroupStanding(
        instance="acme",
        group="nightly",
        state="parked",
        reason="Marketo refuses the secret.",
        needs_somebody=True,
    )
    assert ["it waits for somebody: Marketo refuses the secret."] == reasons(night(), standing=parked)
    quota = GroupStanding(instance="acme", group="nightly", state="parked", reason="the day's calls are used up")
    assert [] == reasons(night(), standing=quota)


def test_a_night_that_never_began_is_a_reason() -> None:
    """A group that still waits for a time which is long over hangs."""
    hanging = GroupStanding(instance="acme", group="nightly", next_due=NOW - timedelta(hours=5))
    assert ["the night that was due at 2026-03-02 03:00Z has not begun"] == reasons(night(1), standing=hanging)
    waiting = GroupStanding(instance="acme", group="nightly", next_due=NOW - timedelta(hours=4, minutes=59))
    assert [] == reasons(night(1), standing=waiting)


def test_a_journal_that_cannot_be_read_is_a_reason() -> None:
    """Nobody knows then how the night was."""
    found = unready(all_seen(seen("acme"), seen("emea", journal_problem="it is damaged")))
    assert [("emea", "the journal cannot be read: it is damaged")] == [(each.subject, each.text) for each in found]


def test_reasons_name_instance_and_group() -> None:
    """Two words that anybody may read."""
    (reason,) = unready(all_seen(seen(nights=(night(1, "failed"),))))
    assert "acme/nightly" == reason.subject


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(OUTCOMES)), max_size=8), st.randoms())
def test_readiness_does_not_hang_on_the_order_of_the_journal(days: list[tuple[int, str]], chance: Any) -> None:
    """The same nights give the same answer however they are listed, and whole ones alone are ready."""
    nights = [night(ago, outcome) for ago, outcome in dict(days).items()]
    shuffled = list(nights)
    chance.shuffle(shuffled)
    assert reasons(*nights) == reasons(*shuffled)
    newest = min(dict(days), default=None)
    assert bool(reasons(*nights)) == (newest is not None and dict(days)[newest] != "done")


def test_an_instance_that_another_daemon_has_is_not_ready() -> None:
    """This daemon brings none of its nights."""
    (reason,) = unready(all_seen(seen(taken_over="process 7 on b has it")))
    assert ("acme", True) == (reason.subject, "another daemon has it: process 7 on b" in reason.text)
