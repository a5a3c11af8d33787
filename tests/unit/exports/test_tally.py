"""What the report of a stream says after its windows."""

from typing import Any

from syncengine.destinations import Applied
from syncengine.exports.fields import Choice, shape
from syncengine.exports.streams import STREAMS
from syncengine.exports.tally import Tally
from syncengine.reports import StreamReport

SHAPE = shape(STREAMS["activities"], (), Choice())


def tallied(*windows: Applied, unparsed: dict[str, int] | None = None, unverified: int = 0) -> Tally:
    """A tally of these windows with a kilobyte each, the first so many of them unverified."""
    tally = Tally()
    for number, applied in enumerate(windows):
        tally.add(applied, unparsed or {}, file_bytes=1_000, is_unverified=number < unverified)
    return tally


def lines(tally: Tally) -> tuple[str, ...]:
    """What the report says besides what the stream itself has to say."""
    return tally.report("activities", SHAPE.notes).problems[len(SHAPE.notes) :]


def test_a_report_adds_up_its_windows() -> None:
    """Files, bytes and each of the destination's counts, under the stream's name; nothing is wrong, nothing is said."""
    tally = tallied(Applied(inserted=5, changed=3), Applied(changed=1, unchanged=2, outdated=4))
    expected: dict[str, Any] = {"inserted": 5, "changed": 4, "unchanged": 2, "outdated": 4}

    assert StreamReport(
        "activities", windows=2, rows=15, bytes=2_000, problems=SHAPE.notes, **expected
    ) == tally.report("activities", SHAPE.notes)


def test_a_stream_without_windows_has_a_report_of_noughts() -> None:
    """Nothing was to be done, and that is a report too."""
    assert (0, 0, 0, ()) == (
        (report := tallied().report("activities", SHAPE.notes)).windows,
        report.rows,
        report.unparsed,
        lines(tallied()),
    )


def test_files_that_could_not_be_checked_are_told() -> None:
    """How many of the files had less to check them by than Marketo promises."""
    windows = [Applied(inserted=1)] * 3
    assert () == lines(tallied(*windows))
    assert ("2 files came without a SHA-256 or a record count: checked by what was announced",) == lines(
        tallied(*windows, unverified=2)
    )


def test_cells_that_do_not_fit_are_told_by_field() -> None:
    """Each field with the sum over all files, and the sum of all fields as a number."""
    tally = tallied(Applied(), Applied(), unparsed={"leadScore": 2, "createdAt": 1})
    assert (
        "4 cells of leadScore do not fit its type: see _unparsed",
        "2 cells of createdAt do not fit its type: see _unparsed",
    ) == lines(tally)
    assert 6 == tally.report("activities", SHAPE.notes).unparsed


def test_changes_of_the_table_are_told_once() -> None:
    """Columns by what happened to them, a column of many windows once."""
    windows = (Applied(columns_added=("a", "b")), Applied(columns_added=("b",), columns_widened=("c",)))
    assert ("2 columns were added: a, b", "1 columns were widened: c") == lines(tallied(*windows))


def test_rows_that_need_a_look_are_told_with_where_to_look() -> None:
    """Late, deleted, merged and rejected rows, each kind only when there are any."""
    assert (
        "1,200 rows appeared late: after their date had been read already",
        "2 rows were deleted: see _deleted_at",
        "3 rows were merged into others: see _merged_into",
        "1 rows cannot be held by the destination: see _rejected",
    ) == lines(tallied(Applied(late=1_200, merged=3), Applied(deleted=2, rejected=1)))


def test_what_was_said_already_is_not_said_again() -> None:
    """A note of each window is one line of the report."""
    tally = tallied()
    for note in ("one", "two", "one"):
        tally.say(note)
    assert ("one", "two") == lines(tally)


def test_jobs_that_were_asked_for_again_are_told_by_how_they_ended() -> None:
    """One line a way to end, with how many there were: that all came in the end does not make it nothing."""
    tally = tallied(Applied(inserted=1))
    tally.asked_again.update(["ended as Failed", "ended as Cancelled", "ended as Failed"])
    assert (
        "2 export jobs ended as Failed: asked for again",
        "1 export job ended as Cancelled: asked for again",
    ) == lines(tally)
