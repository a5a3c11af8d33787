"""Marketo's loose JSON read into strict rows."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import (
    ExportJob,
    ExportStatus,
    api_name_in_path,
    count,
    export_id,
    export_job,
    guid_in_path,
    instant,
    instant_or_none,
    token,
    whole,
    wire_time,
)

ID = "ce45a7a1-f19d-4ce2-882c-a3c795940a7d"
DIGEST = "c16514c7e80fcac5ea055dacae9617fc3c29aff5365e3743071313ce0ed2a815"


@pytest.mark.parametrize(
    "written",
    [
        "2017-01-21T19:47:30Z",
        "2017-01-21T19:47:30+0000",
        "2017-01-21T19:47:30Z+0000",
        "2017-01-21T19:47:30-00:00",
        "2017-01-21T11:47:30-08:00",
        "2017-01-22T01:17:30+05:30",
        "2017-01-22T01:17:30+0530",
        "2017-01-21 19:47:30.000Z",
        " 2017-01-21T19:47:30Z ",
    ],
)
def test_every_form_of_a_moment_is_the_same_moment(written: str) -> None:
    """Marketo writes offsets in several ways; all become UTC."""
    assert datetime(2017, 1, 21, 19, 47, 30, tzinfo=UTC) == instant(written)
    assert instant(written).tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "2017-01-21",
        "2017-01-21T19:47:30",
        "2017-13-21T19:47:30Z",
        "2017-01-21T25:47:30Z",
        "2017-01-21T19:47:30+24:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2017-01-21T19:47:30+\u0660\u0665:30",
    ],
)
def test_what_is_no_moment_is_refused(written: str) -> None:
    """A time without an offset is as unreadable as no time: guessing one moves rows by hours."""
    with pytest.raises(ValueError, match=r".+"):
        instant(written)
    assert instant_or_none(written) is None


@settings(deadline=None)
@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001  # the offset is drawn beside it
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_survives_being_written(moment: datetime, minutes: int) -> None:
    """Any moment at any offset is read back to the microsecond."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert aware == instant(aware.isoformat())


@settings(deadline=None)
@given(stated=st.none() | st.integers() | st.text(max_size=40))
def test_no_value_breaks_the_reading_of_times(stated: object) -> None:
    """A job whose time cannot be read is still a job."""
    found = instant_or_none(stated)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Canceled", ExportStatus.CANCELLED),
        ("Cancelled", ExportStatus.CANCELLED),
        ("cancelled", ExportStatus.CANCELLED),
        ("COMPLETED", ExportStatus.COMPLETED),
        (" Created ", ExportStatus.CREATED),
        ("Importing", ExportStatus.UNKNOWN),
        (None, ExportStatus.UNKNOWN),
    ],
)
def test_a_status_is_read_in_any_spelling(word: object, status: ExportStatus) -> None:
    """Both spellings of cancelled are one status; a new word is none that ends a poll."""
    assert status is ExportStatus.of(word)


def test_a_new_status_is_not_final() -> None:
    """A poll goes on until Marketo says a word that is known to end it."""
    final = {status for status in ExportStatus if status.is_final}
    assert final == {ExportStatus.CANCELLED, ExportStatus.COMPLETED, ExportStatus.FAILED}


def test_a_completed_job_is_read_whole() -> None:
    """Every attribute of Adobe's example arrives, the checksum without its prefix."""
    row = {
        "exportId": ID,
        "format": "CSV",
        "status": "Completed",
        "createdAt": "2019-06-04T23:13:12Z",
        "queuedAt": "2019-06-04T23:14:02Z",
        "startedAt": "2019-06-04T23:15:19Z",
        "finishedAt": "2019-06-04T23:36:40Z",
        "numberOfRecords": 1776,
        "fileSize": "400785",
        "fileChecksum": f"sha256:{DIGEST.upper()}",
    }
    expected = ExportJob(
        export_id=export_id(ID),
        status=ExportStatus.COMPLETED,
        created_at=datetime(2019, 6, 4, 23, 13, 12, tzinfo=UTC),
        queued_at=datetime(2019, 6, 4, 23, 14, 2, tzinfo=UTC),
        started_at=datetime(2019, 6, 4, 23, 15, 19, tzinfo=UTC),
        finished_at=datetime(2019, 6, 4, 23, 36, 40, tzinfo=UTC),
        records=1776,
        file_bytes=400785,
        sha256=DIGEST,
    )
    assert expected == export_job(row)


@pytest.mark.parametrize("sent", [None, "", DIGEST, f"md5:{DIGEST}", "sha256:abc", f"sha512:{DIGEST}"])
def test_a_checksum_of_another_kind_is_none(sent: object) -> None:
    """A digest that is not SHA-256 cannot be compared and is not mistaken for one that can."""
    assert export_job({"exportId": ID, "status": "Completed", "fileChecksum": sent}).sha256 is None


def test_a_failed_job_says_why_in_one_line() -> None:
    """Marketo's reason is kept, fit for a terminal."""
    job = export_job({"exportId": ID, "status": "Failed", "errorMsg": "Out of\nspace\x1b[0m"})
    assert (job.status, job.error) == (ExportStatus.FAILED, "Out of space [0m")


@pytest.mark.parametrize("sent", [None, 7, "", "abc", f"{ID}/../x", f"{ID}\n", ID[:-1], f"..%2f{ID}"])
def test_an_export_id_is_a_uuid_and_nothing_else(sent: object) -> None:
    """What could lead out of a path never becomes an id."""
    with pytest.raises(Malformed):
        export_id(sent)


@settings(deadline=None)
@given(stated=st.uuids().map(str), upper=st.booleans())
def test_every_uuid_is_an_export_id(stated: str, upper: bool) -> None:
    """Ids keep the case that Marketo gave them."""
    sent = stated.upper() if upper else stated
    assert sent == export_id(sent)


@pytest.mark.parametrize("row", [None, [], "x", {}, {"exportId": 1}])
def test_a_row_without_an_id_is_malformed(row: object) -> None:
    """A job that cannot be named cannot be watched."""
    with pytest.raises(Malformed):
        export_job(row)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [(3599, 3599), (0, 0), (-5, 0), (None, 0), ("3599", 3599), ("soon", 0), (12.0, 12), (True, 0), (2**70, 0)],
)
def test_a_tokens_life_is_a_number_that_is_not_negative(sent: object, seconds: int) -> None:
    """Whatever Marketo says about the remaining life, there is a figure to plan with."""
    assert seconds == token({"access_token": "abc:int", "expires_in": sent}).expires_in


@pytest.mark.parametrize("secret", [None, "", 7, "two words", "line\r\nbreak", "caf\u00e9"])
def test_a_token_that_cannot_stand_in_a_header_is_malformed(secret: object) -> None:
    """A token cannot smuggle a header, and no message repeats it."""
    with pytest.raises(Malformed) as caught:
        token({"access_token": secret, "expires_in": 10})
    assert not secret or str(secret) not in str(caught.value)


def test_a_token_is_not_in_its_repr() -> None:
    """Printing a token's row shows its life, not the secret nor whose it is."""
    shown = repr(token({"access_token": "cdf-secret", "expires_in": 10, "scope": "user@acme.com"}))
    assert shown == "Token(expires_in=10)"


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (5, 5),
        ("5", 5),
        (" 5 ", 5),
        (5.0, 5),
        (5.5, None),
        ("5.5", None),
        (True, None),
        ("x", None),
        (float("inf"), None),
    ],
)
def test_a_whole_number_is_read_from_number_and_text(sent: Any, number: int | None) -> None:
    """Decimals, booleans and words are not whole numbers."""
    assert number == whole(sent)


def test_a_count_is_never_negative() -> None:
    """A file of minus one byte is a file of unknown size."""
    assert count(-1) is None
    assert count(0) == 0


@given(moment=st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001  # zones are drawn
@settings(deadline=None)
def test_a_moment_is_sent_as_it_is_read(moment: datetime) -> None:
    """What Marketo is sent is the same moment, cut to its second."""
    assert moment.astimezone(UTC).replace(microsecond=0) == instant(wire_time(moment))


def test_a_moment_without_a_zone_is_not_sent() -> None:
    """This machine's zone is nobody's business."""
    with pytest.raises(ValueError, match="zone"):
        wire_time(datetime(2024, 5, 1))  # noqa: DTZ001  # what must be refused


def test_names_that_enter_a_path_cannot_leave_it() -> None:
    """Letters, digits and underscores of a name; a UUID of a record; nothing else."""
    assert ("car_c", "Car2", ID) == (api_name_in_path("car_c"), api_name_in_path("Car2"), guid_in_path(ID))
    for wrong in ("", "..", "a/b", "a.b", "a b", "_c", "a\n", "a?b", "a%2fb", "é", "a" * 101, None, 3):
        with pytest.raises(Malformed):
            api_name_in_path(wrong)
        with pytest.raises(Malformed):
            guid_in_path(wrong)
