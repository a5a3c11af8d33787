"""Keyed hashes: what leaves the spool in place of personal values, and what cannot be told from it."""

import hashlib
import hmac
from typing import Any

import pyarrow as pa
import pytest

from syncengine.exports.privacy import digest, hashed

KEY = b"a key of the instance"


def batch(*emails: str | None) -> pa.RecordBatch:
    columns: list[pa.Array[Any]] = [
        pa.array(range(len(emails)), pa.int64()),
        pa.array(emails, pa.string()),
        pa.array(emails, pa.string()),
    ]
    texts = [pa.field("email", pa.string()), pa.field("city", pa.string())]
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False)])
    for field in texts:
        schema = schema.append(field)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def test_a_hash_is_the_hmac_of_the_text() -> None:
    """Whoever has the key can make the same from the value, in any language: HMAC-SHA-256, in hexadecimal digits."""
    expected = hmac.new(KEY, "jürgen@acme.example".encode(), hashlib.sha256).hexdigest()
    assert (expected, 64) == (digest("jürgen@acme.example", KEY), len(expected))
    # A known answer, RFC 4231, test case 2.
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert known == digest("what do ya want for nothing?", b"Jefe")


def test_hashed_columns_have_hashes_and_the_others_their_values() -> None:
    """Row by row, in order, under the same schema; what is not named is left as it is."""
    (found,) = hashed([batch("a", "b")], ["email"], KEY)
    assert batch("a", "b").schema == found.schema
    assert [digest("a", KEY), digest("b", KEY)] == found.column("email").to_pylist()
    assert (["a", "b"], [0, 1]) == (found.column("city").to_pylist(), found.column("id").to_pylist())


def test_null_stays_null_and_blanks_are_values() -> None:
    """That there is no value may be known; a blank is one, and not the same as none or as two."""
    (found,) = hashed([batch(None, "", " ")], ["email"], KEY)
    nothing, empty, blank = found.column("email").to_pylist()
    assert (None, digest("", KEY), digest(" ", KEY)) == (nothing, empty, blank)
    assert empty != blank


def test_equal_values_stay_equal_in_every_batch_and_column() -> None:
    """Rows can be joined by the hash as they could by the value, and case makes a difference as it did."""
    here, there = hashed([batch("a", "A"), batch("a")], ["email", "city"], KEY)
    assert here.column("email")[0] == there.column("city")[0]
    assert here.column("email")[0] != here.column("email")[1]


def test_another_key_gives_other_hashes() -> None:
    """Without the key nobody can find a value by trying."""
    assert digest("a", KEY) != digest("a", KEY + b"!") != hashlib.sha256(b"a").hexdigest()


def test_nothing_is_hashed_without_a_key() -> None:
    """A hash without a key could be undone: it is refused before a row is seen."""
    with pytest.raises(ValueError, match="key"):
        next(hashed([batch("a")], ["email"], b""))


def test_batches_pass_one_by_one() -> None:
    """A file of any size passes in the memory of a batch: the second is not asked for before the first is taken."""
    asked = []

    def batches() -> object:
        for number in range(2):
            asked.append(number)
            yield batch("a")

    passing = hashed(batches(), ["email"], KEY)  # type: ignore[arg-type]
    next(passing)
    assert [0] == asked
