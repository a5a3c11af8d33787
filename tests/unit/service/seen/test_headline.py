"""What is said at the top of the page."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncengine.config import GroupSettings
from syncengine.service.schedule.nights import OUTCOMES
from syncengine.service.seen.headline import headline
from syncengine.service.standing import GroupStanding
from tests.unit.service.seen.seen import seen
from tests.unit.service.seen.written import NOW, night

BERLIN = {"nightly": GroupSettings(cron="30 2 * * *", zone="Europe/Berlin")}


def test_a_whole_night_was_good_and_tells_what_it_cost() -> None:
    """One sentence, and the sums of all groups of that evening alone."""
    said = headline(seen(nights=(night(), night(group="assets", calls=40, streams={}), night(1, calls=9_999))))
    assert ("good", "Last night was good", (), ()) == (said.mood, said.text, said.lines, said.notes)
    assert said.cost is not None
    assert (452, 8_250, 24_400_000, 2 * 38 * 60.0) == (
        said.cost.calls,
        said.cost.moved,
        said.cost.export_bytes,
        said.cost.seconds,
    )


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "done"])
def test_a_night_that_was_not_whole_says_what_is_missing_and_why(outcome: str) -> None:
    """With the group's name and the first problem, however the night ended."""
    said = headline(seen(nights=(night(0, outcome, problems=("leads: no room", "activities: no room")), night(1))))
    assert ("bad", "Something is missing: nightly") == (said.mood, said.text)
    (line,) = said.lines
    assert line.startswith("nightly, ")
    assert line.endswith(": leads: no room (and 1 more)")


def test_one_group_that_failed_is_enough() -> None:
    """The other group's good night does not hide it."""
    groups = tuple(GroupStanding(instance="acme", group=name) for name in ("nightly", "assets"))
    said = headline(seen(groups=groups, nights=(night(), night(0, "failed", group="assets"))))
    assert ("bad", "Something is missing: assets", ("assets, failed: no reason is given",)) == (
        said.mood,
        said.text,
        said.lines,
    )


@pytest.mark.parametrize("state", ["backing off", "parked"])
def test_a_night_that_is_not_in_yet_is_no_good_one_whatever_the_last_was(state: Any) -> None:
    """At eight in the morning the warehouse is still away: yesterday's good night is not last night's."""
    group = GroupStanding(
        instance="acme", group="nightly", state=state, due=NOW - timedelta(hours=5), reason="The warehouse is away."
    )
    said = headline(seen(groups=(group,), nights=(night(1),)))
    assert ("bad", "Tonight is not in yet: nightly") == (said.mood, said.text)
    assert ("nightly, not in yet: The warehouse is away.",) == said.lines


def troubled(**facts: Any) -> GroupStanding:
    """`nightly`, whose night of this morning fails."""
    given: dict[str, Any] = {"state": "backing off", "due": night().due, "reason": "The warehouse is away."}
    return GroupStanding(instance="acme", group="nightly", **(given | facts))


def test_tonight_comes_before_what_was_wrong_earlier_and_both_are_told_apart() -> None:
    """The night before has its day with it; another group's trouble follows, and each group is named once."""
    assets = GroupStanding(instance="acme", group="assets")
    nights = (night(0, ""), night(1, "failed", problems=("no room",)), night(1, "partial", group="assets"))
    said = headline(seen(groups=(troubled(), assets), nights=nights))
    assert "Tonight is not in yet: nightly; something is missing: assets" == said.text
    assert (
        "nightly, not in yet: The warehouse is away.",
        "nightly, the night of Sat 28 Feb, failed: no room",
        "assets, not whole: no reason is given",
    ) == said.lines


def test_a_night_that_waits_for_somebody_is_not_in_yet() -> None:
    """Its reason is said once."""
    said = headline(seen(groups=(troubled(state="parked", needs_somebody=True),), nights=(night(1),)))
    assert ("Tonight is not in yet: nightly", ("nightly waits for somebody: The warehouse is away.",)) == (
        said.text,
        said.lines,
    )


def test_a_night_that_could_not_even_begin_is_not_in_yet() -> None:
    """Without a journal there is no night under way, and still it was due."""
    said = headline(seen(groups=(troubled(due=None, next_due=NOW - timedelta(hours=1)),), nights=(night(1),)))
    assert ("bad", "Tonight is not in yet: nightly") == (said.mood, said.text)
    early = headline(seen(groups=(troubled(due=None, next_due=NOW + timedelta(hours=1)),), nights=(night(),)))
    assert ("good", "Last night was good") == (early.mood, early.text)


@pytest.mark.parametrize(
    ("hours", "words"), [(0, "Tonight"), (5, "Last night"), (26, "Last night"), (29, "The night of Sun 1 Mar")]
)
def test_a_night_that_is_not_in_yet_is_called_as_people_call_it(hours: int, words: str) -> None:
    """From noon on, tonight is the one to come; a weekly one may be late for days."""
    instance = seen(groups=(troubled(),), nights=(night(1),))
    assert f"{words} is not in yet: nightly" == headline(replace(instance, at=NOW + timedelta(hours=hours))).text


def test_while_a_night_is_in_trouble_the_figures_are_of_the_last_whole_one_and_say_so() -> None:
    """Neither those of another group's part of the same evening, nor of one that was not whole."""
    nights = (night(0, ""), night(0, group="assets", calls=1), night(1, "partial", calls=2), night(2, calls=3))
    said = headline(seen(groups=(troubled(),), nights=nights))
    assert said.cost is not None
    assert (3, ("The figures are those of the night of Fri 27 Feb, the last that is whole.",)) == (
        said.cost.calls,
        said.notes,
    )
    none = headline(seen(groups=(troubled(due=None, next_due=night().due),), nights=nights[1:3]))
    assert (None, ()) == (none.cost, none.notes)


def test_last_night_is_the_newest_that_was_due_and_not_the_newest_that_ended() -> None:
    """One that runs, or ought to, is not praised beforehand; what ended has its day with it."""
    running = troubled(state="running", reason="")
    hanging = GroupStanding(instance="acme", group="nightly", next_due=night().due)
    for group in (running, hanging):
        said = headline(seen(groups=(group,), nights=(night(1),)))
        assert ("good", "The night of Sat 28 Feb was good") == (said.mood, said.text)
    assets = GroupStanding(instance="acme", group="assets")
    late = night(0, group="assets", due=night().due + timedelta(hours=1))
    said = headline(seen(groups=(running, assets), nights=(late, night(0, ""))))
    assert "The night of Sun 1 Mar is good so far" == said.text


def test_an_instance_that_another_daemon_has_is_not_good() -> None:
    """What this one knows of its nights is old."""
    said = headline(seen(nights=(night(),), taken_over="'daemon' of 'acme' is already running: process 7 on b"))
    assert ("bad", "Another daemon has this instance") == (said.mood, said.text)


def test_a_group_that_waits_for_somebody_is_said_though_its_night_was_good() -> None:
    """Tonight will fail unless a person does something now."""
    group = GroupStanding(
        instance="acme", group="nightly", state="parked", reason="Marketo refuses the secret.", needs_somebody=True
    )
    said = headline(seen(groups=(group,), nights=(night(),)))
    assert ("bad", "Somebody is needed: nightly") == (said.mood, said.text)
    assert ("nightly waits for somebody: Marketo refuses the secret.",) == said.lines


@pytest.mark.parametrize(
    ("group", "note"),
    [
        (GroupStanding(instance="acme", group="nightly", state="running"), "nightly is running now."),
        (
            GroupStanding(instance="acme", group="nightly", state="backing off", reason="Marketo is down."),
            "nightly tries again soon: Marketo is down.",
        ),
        (
            GroupStanding(instance="acme", group="nightly", state="parked", reason="The quota is used up."),
            "nightly is parked: The quota is used up.",
        ),
    ],
)
def test_what_a_group_does_now_is_a_note(group: GroupStanding, note: str) -> None:
    """It is no verdict on last night."""
    said = headline(seen(groups=(group,), nights=(night(),)))
    assert ("good", (note,)) == (said.mood, said.notes)


def test_a_night_long_ago_is_not_called_last_night() -> None:
    """A group that runs once a week was good on its day."""
    said = headline(seen(nights=(night(5),)))
    assert ("good", "The last night, of Tue 24 Feb, was good") == (said.mood, said.text)


def test_through_the_whole_next_day_it_is_last_night() -> None:
    """At noon and in the evening, people still mean the same night."""
    for hours in (0, 4, 15):
        instance = replace(seen(schedule=BERLIN, nights=(night(),)), at=NOW + timedelta(hours=hours))
        assert "Last night was good" == headline(instance).text


def test_before_the_first_night_nothing_is_judged() -> None:
    """Neither good nor bad; and an instance without groups says so."""
    assert ("new", "No night has ended yet", None) == (
        headline(seen()).mood,
        headline(seen(nights=(night(0, ""),))).text,
        headline(seen()).cost,
    )
    assert "Nothing is scheduled here" == headline(seen(groups=(), schedule={})).text


def test_a_journal_that_cannot_be_read_is_no_good_night() -> None:
    """What is not known is not praised."""
    said = headline(seen(journal_problem="it is damaged"))
    assert ("bad", ("The journal cannot be read: it is damaged",)) == (said.mood, said.lines)
