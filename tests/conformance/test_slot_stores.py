"""What every SlotStore promises, and what a book on disk promises beyond that."""

import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import NoSpace, StateUnusable
from syncengine.transport.book import Book, MemorySlotStore, Slot, SlotStore, Spent, Throttle, Waiter
from syncengine.transport.shared_slots import SCHEMA_VERSION, SharedSlotStore
from tests.virtual import run_virtual, virtual

Opening = Callable[[], SlotStore]

SLOT = Slot(7, "pid 1", "leads.read", 100.5, 220.5)
FULL = Book(
    slots={7: SLOT, 8: Slot(8, "pid 2", "é", 1.0, 2.0, 3.0, 4.0)},
    waiters={"pid 1/3": Waiter("pid 1/3", "pid 1", 120.25, 101.0)},
    throttles={"window": Throttle(0.7, 99.0), "flight": Throttle(1.0, float("-inf"))},
    spent={"2026-03-02T08": Spent(3, 500_000_000_000)},
    marks={"closed_until": 119.125, "poll:leads": 1e-9, "last_slot": 8.0},
    pauses={"export": datetime(2026, 3, 3, 6, tzinfo=UTC)},
)


def shared(path: Path, instance: str = "acme", boot: str = "boot-1", now: float = 100.0) -> SharedSlotStore:
    return SharedSlotStore(path, instance, boot, window_seconds=20.0, now=now)


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    return MemorySlotStore if request.param == "memory" else lambda: shared(tmp_path / "slots.db")


@asynccontextmanager
async def closing(store: SlotStore) -> AsyncIterator[SlotStore]:
    try:
        yield store
    finally:
        await store.close()


def fill(book: Book) -> None:
    for part in Book.__slots__:
        getattr(book, part).update(getattr(FULL, part))


async def read(store: SlotStore) -> Book:
    return await store.transact(lambda book: Book(**{part: dict(getattr(book, part)) for part in Book.__slots__}))


@virtual
async def test_what_a_change_leaves_is_what_the_next_one_finds(opening: Opening) -> None:
    """Every part of a book comes back as it was left, and the change's result is given."""
    async with closing(opening()) as store:
        assert Book() == await read(store)
        await store.transact(fill)
        assert 2 == await store.transact(lambda book: len(book.slots))
        assert FULL == await read(store)


@virtual
async def test_rows_can_be_replaced_and_removed(opening: Opening) -> None:
    """A change may replace some rows and remove others; the rest stay."""
    async with closing(opening()) as store:
        await store.transact(fill)

        def change(book: Book) -> None:
            book.slots[7] = Slot(7, "pid 1", "leads.read", 100.5, 220.5, window_free_at=121.0)
            del book.slots[8]
            book.waiters.clear()
            book.spent["2026-03-02T08"] += Spent(1)

        await store.transact(change)
        book = await read(store)

        assert [Slot(7, "pid 1", "leads.read", 100.5, 220.5, 121.0)] == list(book.slots.values())
        assert ({}, {"2026-03-02T08": Spent(4, 500_000_000_000)}) == (book.waiters, book.spent)


@virtual
async def test_an_exception_changes_nothing(opening: Opening) -> None:
    """A change that fails half way leaves the book as it was, and the store goes on."""
    async with closing(opening()) as store:
        await store.transact(fill)

        def fail(book: Book) -> None:
            book.slots.clear()
            book.marks["closed_until"] = 0.0
            raise LookupError("half way")

        with pytest.raises(LookupError, match="half way"):
            await store.transact(fail)
        assert FULL == await read(store)


@virtual
async def test_changes_run_one_after_the_other(opening: Opening) -> None:
    """Fifty tasks that each add one call lose none."""

    def count(book: Book) -> None:
        book.spent["h"] = book.spent.get("h", Spent()) + Spent(1)

    async with closing(opening()) as store:
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(store.transact, count)

        assert {"h": Spent(50)} == (await read(store)).spent


@virtual
async def test_two_processes_share_one_book(tmp_path: Path) -> None:
    """Two connections that take turns each see what the other left, and count without loss."""
    async with closing(shared(tmp_path / "s")) as one, closing(shared(tmp_path / "s")) as two:

        def count(book: Book) -> int:
            book.marks["last_slot"] = number = book.marks.get("last_slot", 0.0) + 1
            book.slots[int(number)] = Slot(int(number), "me", "call", 1.0, 2.0)
            return int(number)

        numbers: list[int] = []

        async def many(store: SlotStore) -> None:
            for _ in range(40):
                numbers.append(await store.transact(count))  # noqa: PERF401  # the order of arrival is the point

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(many, one)
            tasks.start_soon(many, two)

        assert list(range(1, 81)) == sorted(numbers)
        assert await read(one) == await read(two)


@virtual
async def test_a_book_outlives_its_process(tmp_path: Path) -> None:
    """Opened again in the same boot, the book is as it was left, even by a process that never closed it."""
    left = shared(tmp_path / "s")
    await left.transact(fill)
    async with closing(shared(tmp_path / "s", now=500.0)) as again:
        assert FULL == await read(again)
    await left.close()


@virtual
async def test_instances_keep_books_apart(tmp_path: Path) -> None:
    """What one instance does in the file is nothing to another."""
    async with closing(shared(tmp_path / "s")) as one, closing(shared(tmp_path / "s", "other")) as two:
        await one.transact(fill)

        assert Book() == await read(two)


@virtual
async def test_after_a_boot_the_window_is_closed_once(tmp_path: Path) -> None:
    """Monotonic times of another boot are forgotten and the window closed for its length; money spent is kept."""
    async with closing(shared(tmp_path / "s")) as store:
        await store.transact(fill)
    for now in (5.0, 9.0):
        async with closing(shared(tmp_path / "s", boot="boot-2", now=now)) as store:
            expected = Book(marks={"closed_until": 25.0}, spent=FULL.spent, pauses=FULL.pauses)

            assert expected == await read(store)


@virtual
async def test_a_new_file_is_open_at_once_and_private(tmp_path: Path) -> None:
    """Nobody can have called before the first book was made; only its owner may read it."""
    async with closing(shared(tmp_path / "s")) as store:
        assert {} == (await read(store)).marks

        assert {0o600} == modes_in(tmp_path)


def modes_in(folder: Path) -> set[int]:
    return {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A file of a later version is left as it is, and the message says what to do."""
    with sqlite3.connect(tmp_path / "s") as made:
        made.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    made.close()

    with pytest.raises(StateUnusable, match="newer syncengine") as caught:
        shared(tmp_path / "s")
    assert "Upgrade" in caught.value.advice


@pytest.mark.parametrize("damage", ["header", "middle"])
@virtual
async def test_a_damaged_file_is_refused_with_a_sentence(tmp_path: Path, damage: str) -> None:
    """Garbage where a database should be is never begun afresh silently: the user is told, and what to delete."""
    path = tmp_path / "s"
    store = shared(path)
    await store.transact(fill)
    await store.close()
    raw = bytearray(path.read_bytes())
    start = 0 if damage == "header" else 4096
    raw[start : start + 8192] = b"\xff" * len(raw[start : start + 8192])
    path.write_bytes(raw)

    with pytest.raises(StateUnusable, match="damaged") as caught:
        async with closing(shared(path)) as again:
            await read(again)
    assert "delete it" in caught.value.advice


def test_a_folder_that_cannot_hold_the_file_is_refused(tmp_path: Path) -> None:
    """A missing folder is a sentence with advice, not a traceback of SQLite's."""
    with pytest.raises(StateUnusable, match="cannot be used") as caught:
        shared(tmp_path / "missing" / "s")
    assert "permissions" in caught.value.advice


@virtual
async def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """With no page left a change is refused as NoSpace and leaves nothing; with room again the store goes on."""
    async with closing(shared(tmp_path / "s")) as store:
        await store.transact(fill)
        assert isinstance(store, SharedSlotStore)
        limit_pages(store, 1)
        for _ in range(2):
            with pytest.raises(NoSpace, match="full") as caught:
                await store.transact(grow)
            assert "run the same command again" in caught.value.advice
        limit_pages(store, 10_000)

        assert FULL == await read(store)
        await store.transact(grow)


def limit_pages(store: SharedSlotStore, pages: int) -> None:
    """SQLite answers FULL beyond this many pages, as it does on a full disk."""
    store._db.execute(f"PRAGMA max_page_count={pages}").fetchall()


def grow(book: Book) -> None:
    for number in range(1_000, 3_000):
        book.slots[number] = Slot(number, "h" * 50, "n" * 50, 1.0, 2.0)


def numbers() -> st.SearchStrategy[float]:
    return st.floats(allow_nan=False)


def slots() -> st.SearchStrategy[Slot]:
    known = st.none() | numbers()
    return st.builds(Slot, st.integers(1, 5), st.text(), st.text(), numbers(), numbers(), known, known)


changes = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "fail"]), slots(), st.sampled_from(["a", "b"]), numbers()), max_size=12
)


@given(changes)
@settings(max_examples=30, deadline=None)
def test_a_book_on_disk_is_the_book_in_memory(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Slot, str, float]]
) -> None:
    """Any run of changes, failed ones included, leaves the same book in both kinds of store."""
    path = tmp_path_factory.mktemp("book") / "s"

    async def play(store: SlotStore) -> Book:
        async with closing(store):
            for kind, slot, key, number in steps:
                await attempt(store, kind, slot, key, number)
            return await read(store)

    async def attempt(store: SlotStore, kind: str, slot: Slot, key: str, number: float) -> None:
        def change(book: Book) -> None:
            if kind == "drop":
                book.slots.pop(slot.id, None)
                book.marks.pop(key, None)
                return
            book.slots[slot.id] = slot
            book.marks[key] = number
            book.throttles[key] = Throttle(number, number)
            if kind == "fail":
                raise LookupError

        with pytest.raises(LookupError) if kind == "fail" else nullcontext():
            await store.transact(change)

    assert run_virtual(lambda: play(MemorySlotStore())) == run_virtual(lambda: play(shared(path)))
