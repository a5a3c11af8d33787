"""Which way rows go in, and what that costs."""

import pytest

from syncengine.errors import ConfigError
from syncengine.imports.route import JOB_SECONDS, REST_ROWS_MAX, Cost, Route, chosen, cost, rows_a_call
from syncengine.imports.target import Kind, Target

LEADS = Target(kind=Kind.LEADS, keys=("email",))
BY_ID = Target(kind=Kind.LEADS, keys=("id",))
ON_LIST = Target(kind=Kind.LEADS, keys=("email",), list_id=7)
CARS = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin",), api_name="car_c")
MEMBERS = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=1, status="On List")
FEW, MANY = REST_ROWS_MAX, REST_ROWS_MAX + 1


@pytest.mark.parametrize(
    ("target", "rows", "has_ingestion", "way"),
    [
        (LEADS, FEW, False, Route.REST),
        (LEADS, MANY, False, Route.BULK),
        (LEADS, 0, False, Route.REST),
        (LEADS, FEW, True, Route.INGESTION),
        (LEADS, MANY, True, Route.INGESTION),
        (BY_ID, FEW, True, Route.REST),
        (BY_ID, MANY, True, Route.BULK),
        (ON_LIST, 1, True, Route.BULK),
        (CARS, FEW, False, Route.REST),
        (CARS, MANY, False, Route.BULK),
        (CARS, MANY, True, Route.INGESTION),
        (MEMBERS, 1, True, Route.BULK),
    ],
)
def test_the_fastest_way_that_is_open_is_chosen(target: Target, rows: int, way: Route, *, has_ingestion: bool) -> None:
    """Few rows by calls that answer at once, many as files, and by the Data Ingestion API where there is one."""
    assert way is chosen(Route.AUTO, target, rows, has_ingestion=has_ingestion)


@pytest.mark.parametrize("rows", [1, 10_000_000])
def test_a_wish_is_followed(rows: int) -> None:
    """Whatever the number of rows."""
    found = [chosen(wish, LEADS, rows, has_ingestion=True) for wish in (Route.REST, Route.BULK, Route.INGESTION)]
    assert [Route.REST, Route.BULK, Route.INGESTION] == found


@pytest.mark.parametrize(
    ("wish", "target", "has_ingestion", "why"),
    [
        (Route.REST, MEMBERS, True, "knows program members by lead id only"),
        (Route.INGESTION, MEMBERS, True, "knows program members by lead id only"),
        (Route.INGESTION, LEADS, False, "does not say that the subscription has the Data Ingestion API"),
        (Route.REST, ON_LIST, True, "only bulk import adds people to a list"),
        (Route.INGESTION, ON_LIST, True, "only bulk import adds people to a list"),
        (Route.INGESTION, BY_ID, True, "would create people whose id it does not find"),
    ],
)
def test_a_wish_that_does_not_do_is_refused(wish: Route, target: Target, why: str, *, has_ingestion: bool) -> None:
    """With the reason, and never by going another way silently."""
    with pytest.raises(ConfigError, match=rf"--route {wish.value} does not do for this import: .*{why}") as raised:
        chosen(wish, target, 1, has_ingestion=has_ingestion)
    assert "--route auto always does." == raised.value.advice


@pytest.mark.parametrize("target", [LEADS, BY_ID, ON_LIST, CARS, MEMBERS])
def test_a_file_is_always_taken(target: Target) -> None:
    """Whatever is imported and wherever to."""
    assert Route.BULK is chosen(Route.BULK, target, 1, has_ingestion=True)


@pytest.mark.parametrize(
    ("route", "chunks", "job_seconds", "spent"),
    [
        (Route.REST, 10, None, Cost(10, 999, 2.0)),
        (Route.INGESTION, 1, None, Cost(1, 999, 0.2)),
        (Route.BULK, 0, None, Cost(0, 999, 0.0)),
        (Route.BULK, 1, None, Cost(1 + 4, 999, JOB_SECONDS)),
        (Route.BULK, 2, None, Cost(2 + 2 * 4, 999, JOB_SECONDS)),
        (Route.BULK, 3, None, Cost(3 + 2 * 8, 999, 2 * JOB_SECONDS)),
        (Route.BULK, 21, 45.0, Cost(21 + 2 * 17, 999, 11 * 45.0)),
    ],
)
def test_what_sending_takes(route: Route, chunks: int, job_seconds: float | None, spent: Cost) -> None:
    """A call a chunk; of files also the polls of the two that run at once, by the slowest job that was seen."""
    assert spent == cost(route, chunks, 999, poll_seconds=30.0, job_seconds=job_seconds)


def test_calls_take_so_many_rows() -> None:
    """Files are counted in bytes alone."""
    assert [300, 1_000, None] == [rows_a_call(route) for route in (Route.REST, Route.INGESTION, Route.BULK)]
