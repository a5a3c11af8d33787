"""Which rows another row of the same run takes the place of."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.imports.keys import Keys


def naive(keys: Sequence[str], rows: Sequence[int]) -> list[tuple[int, int]]:
    """The same by remembering every key."""
    last = dict(zip(keys, rows, strict=True))
    return [(row, last[key]) for row, key in zip(rows, keys, strict=True) if last[key] != row]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["a", "b", "c"]) | st.text(max_size=3), max_size=60),
    st.lists(st.integers(1, 20), max_size=60),
    st.integers(1, 3),
)
def test_of_rows_with_one_key_the_last_wins(tmp_path: Path, keys: list[str], pieces: list[int], gap: int) -> None:
    """As a plain dictionary says it, in the order of the rows, in whatever pieces they come."""
    rows = list(range(1, gap * len(keys) + 1, gap))
    with Keys(tmp_path / "keys") as found:
        start = 0
        for size in [*pieces, len(keys)]:
            found.add(rows[start : start + size], keys[start : start + size])
            start += size
        assert naive(keys, rows) == list(found.superseded())
    assert [] == list(tmp_path.iterdir())


def test_a_key_that_every_row_has_leaves_the_last_one(tmp_path: Path) -> None:
    """However often it comes."""
    count = 50_000
    with Keys(tmp_path / "keys") as keys:
        for start in range(0, count, 10_000):
            keys.add(range(start + 1, start + 10_001), ["a@x.example"] * 10_000)
        found = list(keys.superseded())
    assert [(row, count) for row in range(1, count)] == found


def test_what_was_written_is_gone_after_an_error_too(tmp_path: Path) -> None:
    """Keys are people's addresses: none of them is left on the disk, and nobody else can enter the folder before."""
    with suppress(ZeroDivisionError), Keys(tmp_path / "keys") as keys:
        keys.add([1, 2], ["a", "a"])
        assert 0o700 == (tmp_path / "keys").stat().st_mode & 0o777
        assert (1, 2 // 0) == next(keys.superseded())
    assert [] == list(tmp_path.iterdir())
