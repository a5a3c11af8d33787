"""The tables of ours that stand beside the streams' in every database, and how a refused row is written down there.

Apart from the databases, so that whoever reads these tables finds the same in each.

    _marketo_sync     the ledger: a row for each window ever applied, and what it did
    _marketo_cursor   a view of the ledger: from when until when each stream is complete
    _marketo_marks    which rows of a stream were deleted or merged, whether they have arrived or not
    _marketo_views    the views that were made here
    _rejected         rows that their table cannot hold: stream, window, key, reason, row, read_at
"""

from collections.abc import Mapping
from typing import Any

import orjson

LEDGER = "_marketo_sync"
CURSOR = "_marketo_cursor"
MARKS = "_marketo_marks"
VIEWS = "_marketo_views"
REJECTED = "_rejected"

# The ledger's columns that count, named as in Applied.
COUNTS = ("inserted", "changed", "unchanged", "outdated", "rejected", "late", "deleted", "merged")


def as_json(row: Mapping[str, Any]) -> str:
    """A refused row, or its key, as a JSON object of field -> value.

    Instants are RFC 3339 in UTC, JSON fields the text that they came as; a number that JSON has no word for is null.
    """
    return orjson.dumps(dict(row), option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC).decode()
