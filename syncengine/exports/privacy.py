"""Keyed hashes in place of personal values: the same value has the same hash everywhere, and without the key no one
can tell which value it was.

HMAC with SHA-256 (RFC 2104), as 64 hexadecimal digits of the value's UTF-8 text. A plain hash of an e-mail address
could be found by trying addresses; the key prevents that. Whoever loses it can still join old rows, but no new ones.
"""

import hmac
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def hashed(batches: Iterable["pa.RecordBatch"], fields: Collection[str], key: bytes) -> Iterator["pa.RecordBatch"]:
    """The batches with these text columns hashed; NULL stays NULL. Every value is hashed as it stands, blanks included.

    Raises ValueError for an empty key.
    """
    import pyarrow as pa

    if fields and not key:
        raise ValueError("values cannot be hashed without a key")
    for batch in batches:
        columns = [
            pa.array([None if text is None else digest(text, key) for text in column.to_pylist()], pa.string())
            if name in fields
            else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def digest(text: str, key: bytes) -> str:
    """The keyed hash of one value."""
    return hmac.digest(key, text.encode(), "sha256").hex()
