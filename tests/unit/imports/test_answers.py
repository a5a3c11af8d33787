"""The ways in that answer at once."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.errors import OutcomeUnknown
from syncengine.imports.answers import Answered, Answering, ended
from syncengine.imports.endings import Ended, Tally
from syncengine.imports.outcome import Outcome
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.marketo.records import RecordResult, RecordStatus, reason
from tests.scripted import Answer, client_over, refused, rows
from tests.unit.imports.table import chunk
from tests.unit.imports.table import ended as written
from tests.virtual import virtual, virtual_clock

LEADS = Target(kind=Kind.LEADS, keys=("email",))
PEOPLE: list[dict[str, object]] = [{"email": f"{name}@x.example"} for name in "abc"]


def result(status: str, *codes: str) -> RecordResult:
    stated = [reason({"code": code, "message": f"said {code}"}) for code in codes]
    return RecordResult(0, RecordStatus.of(status), reasons=tuple(stated))


@pytest.mark.parametrize(
    ("status", "codes", "end"),
    [
        ("created", (), None),
        ("updated", (), None),
        ("added", (), None),
        ("skipped", ("1003",), (Outcome.FAILED, "said 1003 (code 1003)")),
        ("skipped", ("1037",), (Outcome.WARNED, "said 1037 (code 1037)")),
        ("skipped", ("1037", "1003"), (Outcome.FAILED, "said 1037 (code 1037); said 1003 (code 1003)")),
        ("updated", ("1003",), (Outcome.WARNED, "said 1003 (code 1003)")),
        ("skipped", (), (Outcome.FAILED, "Marketo calls it skipped and gives no reason")),
        ("queued", (), (Outcome.FAILED, "Marketo calls it unknown and gives no reason")),
    ],
)
def test_a_result_says_how_its_row_ended(status: str, codes: tuple[str, ...], end: Ended | None) -> None:
    """Only what Marketo says is done is done; what was already so is told with a word."""
    assert end == ended(result(status, *codes))


@virtual
async def test_results_belong_to_rows_by_their_positions() -> None:
    """Marketo may give them in another order."""
    told = client_over(
        virtual_clock(),
        rows(
            {"seq": 2, "status": "created", "id": 3},
            {"seq": 0, "status": "updated", "id": 1},
            {"seq": 1, "status": "skipped", "reasons": [{"code": "1003", "message": "no"}]},
        ),
    )
    found = await Answering(Route.REST, told.client).ask(LEADS, PEOPLE)
    assert Answered([None, (Outcome.FAILED, "no (code 1003)"), None]) == found
    body = told.wire.requests[0].body
    assert body is not None
    assert PEOPLE == orjson.loads(body)["input"]


@pytest.mark.parametrize("count", [0, 2, 4])
@virtual
async def test_another_number_of_results_tells_nothing(count: int) -> None:
    """The rows may have gone in: nobody knows which, and nothing is sent again."""
    told = client_over(virtual_clock(), rows(*[{"status": "created", "id": n} for n in range(count)]))
    with pytest.raises(OutcomeUnknown, match=f"answered 3 rows with {count} results"):
        await Answering(Route.REST, told.client).ask(LEADS, PEOPLE)
    assert 1 == len(told.wire.requests)


@virtual
async def test_the_ingestion_service_only_says_that_it_has_the_rows() -> None:
    """On its own host, with the Munchkin id; what becomes of each row it does not say."""
    clock = virtual_clock()
    rest = client_over(clock, refused("610"))
    host = client_over(clock, Answer(202, b"", {"X-Request-Id": "r-1"}))
    found = await Answering(Route.INGESTION, rest.client, host.client, "123-ABC-456").ask(LEADS, PEOPLE)
    assert (Answered([None] * 3), []) == (found, rest.wire.requests)
    assert ["/subscriptions/123-ABC-456/persons"] == [each.target for each in host.wire.requests]


def test_ends_are_written_beside_their_rows(tmp_path: Path) -> None:
    """Those that went in are not."""
    made = chunk(tmp_path, ("a@x", "A", "1"), ("b@x", "B", "2"), ("c@x", "C", "3"))
    found = Answered([None, (Outcome.FAILED, "no"), (Outcome.WARNED, "odd")])
    assert Tally(failed=1, warned=1) == found.settle(made, tmp_path / "1.settled")
    assert [(2, "failed", "no"), (3, "imported with warning", "odd")] == written(tmp_path / "1.settled")


def test_ends_of_another_number_of_rows_are_refused(tmp_path: Path) -> None:
    """No row is told to have ended as another did."""
    made = chunk(tmp_path, ("a@x", "A", "1"))
    ends: list[Any] = [None, None]
    with pytest.raises(ValueError, match="zip"):
        Answered(ends).settle(made, tmp_path / "1.settled")
