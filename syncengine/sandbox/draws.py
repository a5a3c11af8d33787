"""Repeatable randomness: every generated cell is a pure function of (seed, row index, column).

Theory: a row's key is a 64-bit mix of seed and index (the finaliser of splitmix64), and a column's draw is the key
times the column's own odd number. Nothing is stored for a row, so a million people cost two timestamps each, any row
can be made at any time in any order, and the same (seed, index) is the same row for ever.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

MASK = (1 << 64) - 1
KEY_BITS = 44


def row_key(seed: int, index: int) -> int:
    """The row's key, below 2 ** KEY_BITS."""
    z = (seed * 0xD1342543DE82EF95 + index * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) >> (64 - KEY_BITS)


def row_keys(seed: int, indices: Iterable[int]) -> list[int]:
    """The keys of many rows."""
    return [row_key(seed, index) for index in indices]


def salt(column: str) -> int:
    """The column's odd number of 32 bits."""
    return zlib.crc32(column.encode()) | 1


def numbers(column: str, keys: Sequence[int], below: int) -> list[int]:
    """One number in [0, below) for each key."""
    factor = salt(column)
    return [(key * factor >> 32) % below for key in keys]


def picks(column: str, keys: Sequence[int], pool: Sequence[T]) -> list[T]:
    """One entry of the pool for each key."""
    factor = salt(column)
    size = len(pool)
    return [pool[(key * factor >> 32) % size] for key in keys]


def share(column: str, key: int) -> float:
    """A fraction in [0, 1) for one key."""
    return ((key * salt(column) >> 32) & 0xFFFFFFFF) / 2**32
