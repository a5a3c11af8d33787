"""The published limits, as far as they bind each other."""

from syncengine.marketo import limits


def test_a_shared_instance_is_half_of_one() -> None:
    """Adobe's advice for shared instances stays within the instance's own limits."""
    assert limits.CALLS_PER_WINDOW == 2 * limits.SHARED_CALLS_PER_WINDOW
    assert limits.IN_FLIGHT_MAX == 2 * limits.SHARED_IN_FLIGHT


def test_sizes_take_the_smaller_reading() -> None:
    """A body that is within our figure is within Adobe's, whichever megabyte was meant."""
    assert limits.BODY_BYTES_MAX == 10**6 < 2**20
    assert limits.IMPORT_FILE_BYTES_MAX == 10**7 < 10 * 2**20
    assert limits.URI_BYTES_MAX == 8 * 10**3 < 8 * 2**10


def test_what_runs_is_counted_in_the_queue() -> None:
    """The queue's ten include the two that run."""
    assert limits.EXPORT_RUNNING_MAX < limits.EXPORT_QUEUED_MAX
    assert limits.IMPORT_RUNNING_MAX < limits.IMPORT_QUEUED_MAX


def test_ingestion_takes_more_rows_but_no_more_bytes() -> None:
    """Its calls are longer lists under the same megabyte."""
    assert limits.SYNC_ROWS_MAX < limits.INGESTION_ROWS_MAX
    assert limits.INGESTION_BODY_BYTES_MAX == limits.BODY_BYTES_MAX


def test_a_batch_is_looked_at_often_enough_to_be_known() -> None:
    """Adobe's 5 to 30 seconds are far within the days for which a batch is known."""
    assert 0 < limits.IMPORT_STATUS_SECONDS_MIN < limits.IMPORT_STATUS_SECONDS_MAX < limits.IMPORT_BATCH_DAYS * 86_400
