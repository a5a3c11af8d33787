"""What a person sees of a pull of assets."""

import io
import re

import pytest

from syncengine.observe.events import AssetFetched, AssetsListed, CallAnswered, CallSent, Event, Refused, RunEnded
from syncengine.observe.progress import Count, open_progress

EVENTS: tuple[Event, ...] = (
    CallSent("email.list"),
    CallSent("form.list"),
    CallAnswered("email.list", 200, 0.1),
    AssetsListed("email", 1_200, 2),
    AssetFetched("email"),
    AssetsListed("form", 30, 0),
    AssetsListed("program", 7, 1),
    AssetFetched("email"),
)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, *events: Event, quiet: bool = False) -> str:
    """What is printed of these events."""
    with open_progress(quiet=quiet, out=out) as show:
        for event in events:
            show(event)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())


def test_assets_are_counted_by_kind() -> None:
    """Those that are listed, those that are to be fetched, and those that are."""
    count = Count()
    for event in EVENTS:
        count(event)
    assert {"email": 1_200, "form": 30, "program": 7} == count.assets.listed
    assert (3, 2, "2/3 fetched, 1,237 listed") == (count.assets.due, count.assets.fetched, count.assets.summary)


def test_a_pipe_gets_a_line_when_a_kind_is_listed_and_when_it_is_fetched() -> None:
    """Nothing about single assets; a kind of which nothing is to be fetched has one line."""
    assert [
        "email: 1,200 listed, 2 to fetch",
        "form: 30 listed, 0 to fetch",
        "program: 7 listed, 1 to fetch",
        "email: fetched",
        "email.list was refused (606): waiting 12 s",
    ] == shown(io.StringIO(), *EVENTS, Refused("606", "email.list", 12.0)).splitlines()


def test_a_terminal_gets_one_bar_for_all_assets() -> None:
    """With its figures; and a line tells of the calls."""
    text = shown(Terminal(), *EVENTS, RunEnded("1", "assets pull", "done", 1.0))
    assert "2/3 fetched, 1,237 listed" in text
    assert "2 made, 1 in flight" in text
    assert "assets" in text


def test_a_pull_that_has_nothing_to_fetch_has_a_full_bar() -> None:
    """Nobody waits for what does not come."""
    text = shown(Terminal(), AssetsListed("email", 5, 0))
    assert "0/0 fetched, 5 listed" in text
    assert "\u2501" * 20 in text


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_quiet_is_quiet(out: io.StringIO) -> None:
    """Nobody who asked for silence sees anything."""
    assert "" == shown(out, *EVENTS, quiet=True)
