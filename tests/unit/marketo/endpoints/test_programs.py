"""Programs."""

from datetime import UTC, datetime

import pytest

from syncengine.marketo.endpoints import programs
from syncengine.marketo.endpoints.programs import Program
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Malformed, Reply


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


def test_one_program_names_its_channel() -> None:
    """An id that is not there is no error but an answer."""
    call = programs.program(1107)
    assert ("GET", "/rest/asset/v1/program/1107.json") == (call.method, call.path)
    row = {"id": 1107, "name": "Ads", "channel": "Online Advertising", "type": "Default"}
    assert Program(1107, "Ads", "Online Advertising") == call.decode(Reply(result=(row,)))
    assert call.decode(Reply(warnings=("No assets found for the given search criteria.",))) is None
    with pytest.raises(Malformed):
        call.decode(Reply(result=({"name": "Ads"},)))


def test_a_channel_names_the_statuses_of_its_members() -> None:
    """All that a member can be given: hidden ones too, and not the one that removes."""
    call = programs.channel_statuses("Online Advertising")
    assert ("/rest/asset/v1/channel/byName.json", {"name": "Online Advertising"}) == (call.path, call.query)
    stated = [{"name": "Not in Program", "step": 0}, {"name": "Invited"}, {"name": "No Show", "hidden": True}, {}]
    assert ("Invited", "No Show") == call.decode(Reply(result=({"id": 4, "progressionStatuses": stated},)))
    assert () == call.decode(Reply())
