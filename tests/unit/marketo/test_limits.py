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
