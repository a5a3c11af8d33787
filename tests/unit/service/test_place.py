"""One instance as its tasks see it: one door to an engine, and one way to tell of trouble."""

from dataclasses import replace

import pytest

from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.config.service import PRIORITIES as WORDS
from syncengine.errors import DestinationUnavailable
from syncengine.marketo.call import Priority
from syncengine.observe.events import Event, RunStarted, SchemaChanged, Trouble
from syncengine.service.place import PRIORITIES, Place
from syncengine.service.standing import Problem
from tests.simulation.seeded import seeded
from tests.unit.service.placed import NAME, START, PlayedPlace, placed, quick, settings_of


def test_every_word_for_a_priority_means_one() -> None:
    """And none means what another does."""
    assert set(WORDS) == set(PRIORITIES)
    assert [Priority.INTERACTIVE, Priority.BACKGROUND, Priority.PATIENT] == [PRIORITIES[word] for word in WORDS]


def real(place: PlayedPlace) -> Place:
    """The same place with its own door."""
    return Place(**{name: getattr(place, name) for name in Place.__dataclass_fields__})


@seeded
async def test_an_engine_is_opened_by_the_settings_of_now() -> None:
    """On the clock and the destination of the place; its events go to whoever asked, to all, and changes to people."""
    with quick() as folder:
        async with placed(settings_of(folder)) as played:
            opened: list[Settings] = []

            async def clock(_: Settings) -> Clock:
                return played.clock

            def destination(settings: Settings) -> None:
                opened.append(settings)
                raise DestinationUnavailable("away")

            played.outside = replace(played.outside, clock=clock, destination=destination)  # type: ignore[arg-type]  # it gives none
            place, seen = real(played), list[Event]()
            place.settings = later = replace(played.settings, limits=replace(played.settings.limits, share=0.5))
            async with place.engine(seen.append, Priority.PATIENT) as engine:
                assert (later, Priority.PATIENT, 0.5) == (
                    engine.settings,
                    engine.client.priority,
                    engine.client.gate.limits.share,
                )
                assert played.clock is engine.client.clock
                for event in (RunStarted("1", "sync"), SchemaChanged("leads", ("new are city.", "gone is shoe."))):
                    engine._observe(event)
                with pytest.raises(DestinationUnavailable):
                    _ = engine.destination
            assert [later] == opened
            assert 2 == len(seen) == len(played.events)
            (notice,) = played.told
            assert ("schema", NAME, "leads", START.date()) == (
                notice.kind,
                notice.instance,
                notice.subject,
                notice.at.date(),
            )
            assert "The fields of leads have changed: new are city. gone is shoe." == notice.text


@seeded
async def test_two_engines_of_a_place_stand_apart_in_line() -> None:
    """A night and an import at the same time have a gate each."""
    with quick() as folder:
        async with placed(settings_of(folder)) as played:

            async def clock(_: Settings) -> Clock:
                return played.clock

            played.outside = replace(played.outside, clock=clock)
            place = real(played)
            async with place.engine(lambda _: None) as one, place.engine(lambda _: None) as other:
                assert one.client.gate._line_id != other.client.gate._line_id
                assert one.client.gate._holder == other.client.gate._holder


@seeded
async def test_a_problem_is_seen_and_logged() -> None:
    """With the instance, its subject and the time."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            place.tell_problem("nightly", "away")
            (problem,) = place.standings.problems
            assert Problem(problem.at, NAME, "nightly", "away") == problem
            assert START.date() == problem.at.date()
            assert [Trouble(NAME, "nightly", "away")] == place.events


@seeded
async def test_a_notice_says_where_and_when() -> None:
    """Whatever it is about."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            place.tell("quota", "calls", "used up", ("wait",), key="tomorrow")
            (notice,) = place.told
            assert ("quota", NAME, "calls", "used up", ("wait",), "tomorrow") == (
                notice.kind,
                notice.instance,
                notice.subject,
                notice.text,
                notice.details,
                notice.key,
            )
