"""Refused rows are written down in one form."""

from datetime import UTC, date, datetime

from syncengine.destinations.bookkeeping import as_json


def test_a_row_is_a_json_object() -> None:
    """Every kind of value has its word in JSON, also those that a database may not have been able to hold."""
    row = {
        "id": 2**63 - 1,
        "a.b": 'nul\x00 "quoted" 🎉',
        "at": datetime(2024, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        "on": date(1, 1, 1),
        "score": float("nan"),
        "none": None,
        "is": True,
    }

    assert as_json(row) == (
        '{"id":9223372036854775807,"a.b":"nul\\u0000 \\"quoted\\" 🎉","at":"2024-03-01T10:00:00.250000Z",'
        '"on":"0001-01-01","score":null,"none":null,"is":true}'
    )
