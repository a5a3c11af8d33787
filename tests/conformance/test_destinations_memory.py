"""Memory does not grow with the rows of a window: every destination."""

import subprocess
import sys
from pathlib import Path

from tests.conformance.places import Place

LARGE_WINDOW = """
import random, resource
from datetime import UTC, datetime
import pyarrow as pa
{opening}
from syncengine.destinations import Window
from syncengine.schema import Field, FieldType, Schema

ROWS, AT_ONCE = {{1: 1_000_000, 2: 200_000}}, 10_000
KINDS = (FieldType.TEXT, FieldType.TEXT, FieldType.TEXT, FieldType.TEXT, FieldType.TEXT, FieldType.TEXT,
         FieldType.INTEGER, FieldType.FLOAT, FieldType.TIMESTAMP)
fields = (Field("id", FieldType.INTEGER), *(Field(f"f{{n}}", kind) for n, kind in enumerate(KINDS)))
schema = Schema(fields, ("id",))
text = random.Random(7).randbytes(600_000).hex()
day = datetime(2024, 3, 1, tzinfo=UTC)

def batches(number):
    for first in range(0, ROWS[number], AT_ONCE):
        ids = range(first, first + AT_ONCE)
        texts = pa.array([text[n : n + 40 + (n % 10 == number)] for n in ids])
        numbers = pa.array(ids)
        columns = [numbers, *[texts] * 6, numbers, numbers.cast(pa.float64()), numbers.cast(pa.timestamp("us", "UTC"))]
        yield pa.RecordBatch.from_arrays(columns, schema=schema.arrow())

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before = peak()
for number in (1, 2):
    read_at = day.replace(hour=number)
    window = Window("acme", "people", f"w{{number}}", 1, day, day, "", read_at, schema, None, batches(number))
    applied = destination.apply(window)
    print(applied.inserted, applied.changed, applied.unchanged)
print(peak() - before)
"""


def test_a_million_rows_take_bounded_memory(place: Place) -> None:
    """A window of a million rows and 300 MB, and one that changes some of them, fit in a part of that."""
    command = [sys.executable, "-c", LARGE_WINDOW.format(opening=place.opening)]

    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    assert "" == run.stderr
    first, second, grown = run.stdout.splitlines()
    assert ("1000000 0 0", "0 40000 160000") == (first, second)
    assert int(grown) < 400_000_000
