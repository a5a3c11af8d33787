"""What a pull is asked for."""

from datetime import timedelta

import pytest

from syncengine.assets.kinds import KINDS
from syncengine.assets.parts import FULL_PULL, chosen_kinds, full_is_due
from syncengine.errors import ConfigError
from syncengine.jobs.memory import MemoryJobStore
from tests.virtual import ORIGIN, virtual, virtual_clock

WEEK = timedelta(days=7)


def test_all_kinds_are_brought_where_none_is_named() -> None:
    """In the order of their table."""
    assert tuple(KINDS) == chosen_kinds(())


def test_named_kinds_are_brought_with_the_folders() -> None:
    """In which they lie; in the order of the table, each once, whatever the order of the names."""
    assert ("folder", "email", "form") == chosen_kinds(("form", "email", "form"))
    assert ("folder",) == chosen_kinds(("folder",))


def test_some_kinds_can_be_left_out() -> None:
    """But never the folders."""
    assert set(KINDS) - {"file", "form"} == set(chosen_kinds((), ("file", "form")))
    assert ("folder", "email") == chosen_kinds(("form", "email"), ("form", "folder"))
    assert ("folder",) == chosen_kinds(("form",), ("form",))


@pytest.mark.parametrize(("only", "but"), [(("mail",), ()), ((), ("mail",)), (("email", "mail"), ("form",))])
def test_a_kind_that_there_is_not_is_refused(only: tuple[str, ...], but: tuple[str, ...]) -> None:
    """By its name, with all that there are."""
    with pytest.raises(ConfigError, match="'mail' is no kind of asset") as refused:
        chosen_kinds(only, but)
    assert all(name in refused.value.advice for name in KINDS)


@pytest.mark.parametrize(
    ("every", "ago", "is_due"),
    [
        (None, None, False),
        (None, timedelta(days=999), False),
        (WEEK, None, True),
        (WEEK, WEEK - timedelta(seconds=1), False),
        (WEEK, WEEK, True),
        (WEEK, WEEK + timedelta(days=1), True),
    ],
)
@virtual
async def test_all_contents_are_due_after_a_while(
    every: timedelta | None, ago: timedelta | None, *, is_due: bool
) -> None:
    """Since the last pull that fetched them all; where there was none, at once; never where nobody asks for it."""
    store = MemoryJobStore({}, virtual_clock())
    if ago is not None:
        await store.remember("acme", FULL_PULL, (ORIGIN - ago).isoformat())
    await store.remember("other", FULL_PULL, ORIGIN.isoformat())
    assert is_due is await full_is_due(store, "acme", every, ORIGIN)
