"""What a sync is asked for: from settings and names to the exports' own values."""

from typing import Any

import pytest

from syncengine.config import InstanceSettings, Secret, Settings, StreamSettings, SyncSettings
from syncengine.errors import ConfigError
from syncengine.exports.catalog import Catalog
from syncengine.exports.fields import Choice
from syncengine.wanted import choice_of, hard_deleted, wanted_streams
from tests.virtual import ORIGIN

CARS, BOATS = "custom_object_car_c", "custom_object_boat_c"


class Objects(Catalog):
    """A catalog of an instance with these custom objects; counts how often it was asked."""

    def __init__(self, *names: str) -> None:
        self.asked = 0
        self._names = names

    async def custom_objects(self) -> tuple[str, ...]:
        self.asked += 1
        return self._names


def settings(*streams: str, **own: StreamSettings) -> Settings:
    return Settings(
        instance=InstanceSettings(name="acme", base_url="x", client_id="id", client_secret=Secret("x")),
        sync=SyncSettings(start=ORIGIN, streams=streams),
        streams=own,
    )


async def names(chosen: Settings, catalog: Catalog | None = None, **asked: Any) -> list[str]:
    return [each.name for each in await wanted_streams(chosen, catalog or Objects(CARS, BOATS), **asked)]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (None, ["leads", "programs", CARS, BOATS]),
        (["programs"], ["programs"]),
        (["programs", "leads"], ["leads", "programs"]),
        (["*"], ["leads", "programs", CARS, BOATS]),
        (["leads", "*"], ["leads", "programs", CARS, BOATS]),
        ([CARS], [CARS]),
        (["custom_object_*"], [CARS, BOATS]),
        (["leads", "custom_object_*"], ["leads", CARS, BOATS]),
        ([], []),
    ],
)
async def test_some_of_the_streams_are_wanted(only: list[str] | None, expected: list[str]) -> None:
    """In the order of the configuration, whatever the order in which they are asked for."""
    assert expected == await names(settings("leads", "programs", "custom_object_*"), only=only)


async def test_a_stream_that_is_not_configured_is_refused() -> None:
    """By its name, with those that there are; nothing is asked of Marketo for that."""
    catalog = Objects()
    with pytest.raises(ConfigError) as caught:
        await names(settings("leads", "programs"), catalog, only=["leads", "opportunities"])
    assert "'opportunities' is not a stream of this configuration" == caught.value.message
    assert "It syncs leads, programs." == caught.value.advice
    assert 0 == catalog.asked


async def test_a_full_read_is_of_streams_that_are_brought() -> None:
    """A mistyped one is no silent half of a full read."""
    wanted = await wanted_streams(settings("leads", "programs"), Objects(), full=["programs"])
    assert [("leads", False), ("programs", True)] == [(each.name, each.full) for each in wanted]
    with pytest.raises(ConfigError):
        await names(settings("leads"), full=["programs"])


async def test_a_custom_object_that_is_named_comes_once() -> None:
    """Though the star brings it too."""
    assert [CARS, BOATS] == await names(settings(CARS, "custom_object_*"))


async def test_custom_objects_that_are_not_brought_are_not_asked_for() -> None:
    """It would cost a call a night."""
    catalog = Objects(CARS)
    assert ["leads"] == await names(settings("leads"), catalog, only=["*"])
    assert 0 == catalog.asked


def test_a_choice_is_known_of_streams_that_are_not_brought_too() -> None:
    """Others touch their rows; one without a table has every field."""
    chosen = settings("activities", leads=StreamSettings(fields=("email",), exclude=("x",), hash=("email",)))
    assert Choice(("email",), ("x",), ("email",)) == choice_of(chosen, "leads")
    assert Choice() == choice_of(chosen, "programs")


def test_streams_whose_deleted_rows_are_removed_are_known_though_they_are_not_brought() -> None:
    """The news of them comes with others."""
    chosen = settings(
        "deleted_leads", leads=StreamSettings(hard_delete=True), programs=StreamSettings(), activities=StreamSettings()
    )
    assert frozenset({"leads"}) == hard_deleted(chosen)
