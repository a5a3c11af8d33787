"""Programs."""

from datetime import UTC, datetime

import pytest

from syncengine.marketo.endpoints import programs
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Reply


def rows(count: int) -> tuple[dict[str, int], ...]:
    return tuple({"id": each} for each in range(count))


def test_programs_are_asked_for_by_offset() -> None:
    """The largest page, from the beginning or from where the last one ended."""
    call = programs.programs()
    assert (call.method, call.path, call.permission) == ("GET", "/rest/asset/v1/programs.json", "Read-Only Assets")
    assert {"offset": "0", "maxReturn": "200"} == call.query
    assert {"offset": "400", "maxReturn": "200"} == programs.programs("400").query


def test_programs_can_be_asked_for_by_last_change() -> None:
    """In whole seconds, cut so that none is left out."""
    since = datetime(2024, 5, 1, 12, 0, 0, 999_999, UTC)
    assert "2024-05-01T12:00:00Z" == programs.programs(updated_since=since).query["earliestUpdatedAt"]
    with pytest.raises(ValueError, match="zone"):
        programs.programs(updated_since=datetime(2024, 5, 1))  # noqa: DTZ001  # what must be refused


def test_a_full_page_is_followed_by_the_next() -> None:
    """A page of 200 is followed, one of 199 or none ends the listing."""
    assert Page(rows(200), "600") == programs.programs("400").decode(Reply(result=rows(200)))
    assert Page(rows(199), None) == programs.programs("400").decode(Reply(result=rows(199)))
    nothing = Reply(warnings=("No assets found for the given search criteria.",))
    assert Page((), None) == programs.programs("400").decode(nothing)


def test_a_token_is_no_offset() -> None:
    """What another listing gave is refused before any call."""
    with pytest.raises(ValueError, match="offset"):
        programs.programs("GIYDAOBNGEYS2===")
