"""What the journal remembers of a group between nights."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from syncengine.jobs.memory import MemoryJobStore
from syncengine.service.schedule.memo import Memo, recalled, remember
from tests.virtual import virtual, virtual_clock

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LAST, NIGHT = NOW.replace(day=1), NOW.replace(hour=2)
FIRST, END = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2034-12-31")
INSTANTS = st.datetimes(FIRST, END, timezones=st.just(UTC))
TIMES, OTHER = "30 2 * * * UTC", "0 4 * * * UTC"


def journal() -> MemoryJobStore:
    return MemoryJobStore({}, virtual_clock(NOW))


@given(st.builds(Memo, INSTANTS, st.text(max_size=20), st.none() | INSTANTS, st.none() | INSTANTS))
def test_a_memo_comes_back_as_it_was(memo: Memo) -> None:
    """Whatever stands in it."""
    assert memo == Memo.of(memo.facts())


@virtual
async def test_a_new_group_has_missed_nothing() -> None:
    """Its first night is the next one, and stays so after a restart."""
    store = journal()
    assert Memo(NOW, TIMES) == await recalled(store, "acme", "nightly", TIMES, NOW)
    assert Memo(NOW, TIMES) == await recalled(store, "acme", "nightly", TIMES, NOW.replace(day=9))


@virtual
async def test_nights_while_the_daemon_was_down_are_remembered_as_missed() -> None:
    """The same times go on from where they were."""
    store = journal()
    await remember(store, "acme", "nightly", Memo(LAST, TIMES))
    assert Memo(LAST, TIMES) == await recalled(store, "acme", "nightly", TIMES, NOW)


@virtual
async def test_other_times_have_missed_nothing_of_the_former_ones() -> None:
    """A group that is moved to another hour does not begin at once."""
    store = journal()
    await remember(store, "acme", "nightly", Memo(LAST, OTHER))
    assert Memo(NOW, TIMES) == await recalled(store, "acme", "nightly", TIMES, NOW)


@virtual
async def test_a_night_under_way_is_gone_on_with_whatever_the_times_are_now() -> None:
    """It has begun, so it ends."""
    store, memo = journal(), Memo(LAST, OTHER, NIGHT, NIGHT)
    await remember(store, "acme", "nightly", memo)
    assert memo == await recalled(store, "acme", "nightly", TIMES, NOW)


@virtual
async def test_groups_and_instances_have_memos_of_their_own() -> None:
    """A group's name means another thing on another instance."""
    store = journal()
    for instance, group in (("acme", "nightly"), ("acme", "hourly"), ("emea", "nightly")):
        await remember(store, instance, group, Memo(LAST, f"{instance} {group}"))
    found = await recalled(store, "acme", "nightly", "acme nightly", NOW)
    assert Memo(LAST, "acme nightly") == found
