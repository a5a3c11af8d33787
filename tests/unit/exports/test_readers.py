"""Which listing a reading asks for, and what it takes the answers for."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from syncengine.exports.catalog import Catalog
from syncengine.exports.pages import Rows
from syncengine.exports.readers import Readers
from syncengine.exports.reading import READING
from syncengine.transport.wire import WireRequest
from tests.scripted import Answer, client_over, rows
from tests.unit.exports.journal import job
from tests.unit.exports.memory import MemoryDestination
from tests.virtual import virtual, virtual_clock


@virtual
async def test_what_seems_gone_from_pages_that_go_by_place_is_looked_for_once_more() -> None:
    """A row before the page's beginning went, and another slipped over to the page that was read already."""
    passes = 0

    def listing(request: WireRequest) -> Answer:
        nonlocal passes
        offset = int(parse_qs(urlsplit(request.target).query).get("offset", ["0"])[0])
        passes += offset == 0
        if offset == 0:
            return rows(*({"id": number} for number in range(1, 201)))
        return rows(*({"id": number} for number in range(202 if passes == 1 else 201, 211)))

    destination = MemoryDestination()
    destination.rows["programs"] = {(number,): {"id": number} for number in range(1, 211)}
    told = client_over(virtual_clock(), listing)
    taken: set[Any] = set()

    async def take(page: Rows) -> None:
        taken.update(row["id"] for row in page)

    readers = Readers(told.client, Catalog(told.client), destination)
    brought = await readers.read(job(kind=READING, group="programs"), take)

    assert (2, True, set(range(1, 211))) == (passes, brought.is_whole, taken)


@virtual
async def test_objects_that_nobody_refers_to_any_more_are_asked_for_too() -> None:
    """A company whose last person went is not gone: what the table has is asked for with what people name."""
    asked: list[str] = []

    def company(request: WireRequest) -> Answer:
        query = parse_qs(urlsplit(request.target).query)
        asked.extend(query["filterValues"][0].split(","))
        return rows()

    destination = MemoryDestination()
    destination.rows["leads"] = {(1,): {"externalCompanyId": "named"}}
    destination.rows["companies"] = {("known",): {"externalCompanyId": "known"}}
    told = client_over(virtual_clock(), company)

    async def take(_: Rows) -> None:
        """No company is there."""

    asking = job(kind=READING, group="companies", facts={"request": {"fields": [["externalCompanyId", "text"]]}})
    brought = await Readers(told.client, Catalog(told.client), destination).read(asking, take)

    assert (["known", "named"], True) == (sorted(asked), brought.is_whole)


@virtual
async def test_names_that_no_list_has_are_told() -> None:
    """A mistyped name brings nothing, and somebody has to hear of it; case is Marketo's affair."""

    def lists(_: WireRequest) -> Answer:
        return rows({"marketoGUID": "a", "name": "saas 3"})

    told = client_over(virtual_clock(), lists)
    taken: list[Any] = []

    async def take(page: Rows) -> None:
        taken.extend(row["marketoGUID"] for row in page)

    asking = job(kind=READING, group="named_account_lists", facts={"names": ["SaaS 3", "Sass 4", "a,b"]})
    brought = await Readers(told.client, Catalog(told.client), MemoryDestination()).read(asking, take)

    lost = "1 of the keys hold a comma and cannot be asked for"
    assert (["a"], (lost, "no named account list has the name 'Sass 4'")) == (taken, brought.notes)
