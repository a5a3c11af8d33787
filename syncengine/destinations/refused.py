"""How a row that a destination cannot hold is written down, the same in every destination.

Apart from the databases, so that whoever reads `_rejected` reads one form: key and row are JSON objects of field ->
value, instants as RFC 3339 in UTC, JSON fields as the text that they came as.
"""

from collections.abc import Mapping
from typing import Any

import orjson

REJECTED = "_rejected"
# The table's columns in order: which window brought the row, what it was, and why it is not in its table.
REJECTED_COLUMNS = ("stream", "window", "key", "reason", "row", "read_at")


def as_json(row: Mapping[str, Any]) -> str:
    """The row, or its key, as a JSON object; a number that JSON has no word for becomes null."""
    return orjson.dumps(dict(row), option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC).decode()
