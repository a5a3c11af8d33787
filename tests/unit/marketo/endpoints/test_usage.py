"""The day's calls as Marketo counts them."""

from datetime import date

from syncengine.marketo.endpoints import usage
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Reply
from syncengine.marketo.rows import Usage


def test_calls_are_counted_in_all_and_by_user() -> None:
    """Adobe's example is read whole; who the users are stays out of the repr."""
    row = {"date": "2015-10-17", "total": 1120, "users": [{"userId": "a@b.c", "count": 200}, None]}
    found = usage.today().decode(Reply(result=(row,)))
    assert Usage(date(2015, 10, 17), 1120, {"a@b.c": 200}) == found
    assert "a@b.c" not in repr(found)


def test_a_day_without_calls_has_no_row() -> None:
    """Just after the reset nothing is counted, which is no fault."""
    assert Usage(None, 0, {}) == usage.today().decode(Reply())


def test_a_week_is_a_row_for_each_day() -> None:
    """All in one answer, as Marketo wrote them; the call needs no permission."""
    rows = ({"date": "2015-10-17", "total": 3, "users": []}, {"date": "2015-10-16", "total": 0})
    call = usage.last_7_days()
    assert ("/rest/v1/stats/usage/last7days.json", "") == (call.path, call.permission)
    assert Page(rows, None) == call.decode(Reply(result=rows))
