"""Tests of people from a user's own file."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from syncengine.sandbox.loaded import LoadedPeople
from tests.unit.sandbox.caller import Caller, content_of


def test_columns_of_a_csv_file_become_fields(tmp_path: Path) -> None:
    """Known names in any case are standard fields with their types, others are custom strings; empty means null."""
    path = tmp_path / "people.csv"
    path.write_text('EMAIL,leadScore,Shoe Size,createdAt\na@x.org,7,"4,5\n""wide""",2024-03-01T10:00:00\nb@x.org,,,\n')
    people = LoadedPeople(path)
    names = ["email", "leadScore", "Shoe Size", "createdAt", "company"]
    assert people.columns(names, [1, 0]) == [
        ["b@x.org", "a@x.org"],
        [None, 7],
        [None, '4,5\n"wide"'],
        [None, 1_709_287_200],
        [None, None],
    ]
    assert [field.name for field in people.fields if field.is_custom] == ["Shoe Size"]


def test_types_of_a_parquet_file_are_taken_over(tmp_path: Path) -> None:
    """Numbers of unknown columns become text, timestamps of known ones instants."""
    path = tmp_path / "people.parquet"
    moment = datetime(2024, 3, 1, 10, tzinfo=UTC)
    pq.write_table(pa.table({"email": ["a@x.org"], "shoe": [45], "updatedAt": [moment], "unsubscribed": [True]}), path)
    columns = LoadedPeople(path).columns(["shoe", "updatedAt", "unsubscribed"], [0])
    assert columns == [["45"], [1_709_287_200], [True]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("leadScore\n1\nmany\n", "column 'leadScore' holds a value that is no score, in row 2$"),
        ("unsubscribed\nmaybe\n", "unsubscribed"),
        ("email,Email\na,b\n", "same name"),
    ],
)
def test_a_file_that_does_not_fit_names_its_column(tmp_path: Path, content: str, message: str) -> None:
    """The user learns what to mend."""
    path = tmp_path / "people.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        LoadedPeople(path)


def test_an_instance_serves_the_users_people(tmp_path: Path) -> None:
    """Ids follow the file's order, missing dates are spread over the years, added people are possible."""
    path = tmp_path / "people.csv"
    path.write_text("email,firstName,favourite\n" + "".join(f"p{n}@x.org,N{n},\n" for n in range(50)))
    caller = Caller(leads_from=path, years=0.05)
    caller.instance.change(caller.now, new_leads=[{"email": "late@x.org"}])
    job_id = caller.queued(fields=["id", "email", "favourite", "company"])
    caller.now += 180
    lines = content_of(caller.file(job_id)).decode().splitlines()
    assert lines[0] == "id,email,favourite,company"
    assert lines[1] == "1001,p0@x.org,null,null"
    assert lines[-1] == "1051,late@x.org,null,null"
    assert len(lines) == 52
