"""A change of a stream's fields is told by the run that first meets it, against what was read last."""

from datetime import timedelta

import pytest

from syncengine.exports.changes import changes
from syncengine.exports.fields import Choice, Shape, shape
from syncengine.exports.streams import STREAMS
from syncengine.exports.window import ABANDONED, CLEANED, PLANNED, request_of
from syncengine.jobs.job import Job
from syncengine.marketo.rows import LeadField
from tests.unit.exports.journal import job
from tests.virtual import ORIGIN

ALWAYS = ("id", "updatedAt")
AGAIN = "`syncengine sync --full leads` reads them all again."
GONE = " People whom Marketo no longer has keep it until their rows are removed."


def shaped(*names: str, hashed: tuple[str, ...] = ()) -> Shape:
    """Leads with these fields, as text."""
    described = [LeadField(name, name, "string", None, read_only=False) for name in (*ALWAYS, *names)]
    return shape(STREAMS["leads"], described, Choice(hash=hashed))


def read(asked: Shape, *, state: str = CLEANED, hours: float = 0.0) -> Job:
    """A window of an earlier run, which last moved so many hours after the others."""
    return job(
        state=state,
        facts={"request": request_of(asked, "updatedAt", "")},
        updated_at=ORIGIN + timedelta(hours=hours),
    )


def test_the_same_fields_are_no_change() -> None:
    """Night after night nothing is said, whatever the order in which Marketo names them."""
    assert [] == changes(shaped("email", "phone"), [read(shaped("phone", "email"))])


@pytest.mark.parametrize("jobs", [(), (read(shaped(), state=PLANNED),), (read(shaped(), state=ABANDONED),)])
def test_before_anything_was_read_nothing_has_changed(jobs: tuple[Job, ...]) -> None:
    """Jobs that brought no rows say nothing of the rows that are there."""
    assert [] == changes(shaped("email"), jobs)


def test_new_fields_and_gone_ones_are_told_by_name() -> None:
    """With what that means for the rows that are there, and how to read them all again."""
    told = changes(shaped("email", "shoeSize", "hatSize"), [read(shaped("email", "phone"))])
    assert [
        f"new are shoeSize, hatSize: rows read before have none of it until they change; {AGAIN}",
        "no longer read are phone: their columns stay as they are.",
    ] == told


def test_what_was_read_last_counts() -> None:
    """A field that went and came back is new, in whatever order the journal has its jobs."""
    last, earlier = read(shaped("phone"), hours=1), read(shaped("phone", "email"))
    for jobs in ([last, earlier], [earlier, last]):
        (line,) = changes(shaped("phone", "email"), jobs)
        assert line.startswith("new are email:")


def test_a_job_that_came_to_nothing_does_not_hide_a_change() -> None:
    """The run that met the change first was stopped: the next one tells it still."""
    stopped = read(shaped("email"), state=ABANDONED, hours=1)
    assert 1 == len(changes(shaped("email"), [read(shaped()), stopped]))


def test_a_field_that_is_hashed_from_now_on_is_told() -> None:
    """Its text stays in rows that were read before: whoever wants it gone has to read them again."""
    (line,) = changes(shaped("email", "phone", hashed=("email",)), [read(shaped("email", "phone"))])
    assert f"hashed from now on are email: rows that were read before keep the text; {AGAIN}{GONE}" == line


def test_a_field_whose_text_was_never_read_has_none_to_keep() -> None:
    """New and hashed at once it is only new; hashed before, nothing at all."""
    asked = shaped("email", hashed=("email",))
    (line,) = changes(asked, [read(shaped())])
    assert line.startswith("new are email:")
    assert [] == changes(asked, [read(asked)])
