"""Tests of reading parameters."""

from collections.abc import Callable

import pytest

from syncengine.sandbox.asset_paths import ASSET_PATHS
from syncengine.sandbox.parameters import PARAMETERS, batch_size, flag, parts, required, whole, whole_parts
from syncengine.sandbox.replies import Refusal
from syncengine.sandbox.routes import PATHS, WRITES


def test_every_endpoint_of_the_table_exists() -> None:
    """No parameter is declared for nobody."""
    assert set(PARAMETERS) <= {*PATHS.values(), *WRITES.values(), *ASSET_PATHS.values()}


def test_values_are_read() -> None:
    """Lists are split at commas, sizes have a default, booleans are words."""
    assert parts({"name": " a, b,,c"}, "name") == ["a", "b", "c"]
    assert whole_parts({"id": "1,2"}, "id", 2) == [1, 2]
    assert (batch_size({}), batch_size({"batchSize": "7"}), flag("True")) == (300, 7, True)


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda: required({"a": " "}, "a"), "1002"),
        (lambda: whole("1.5"), "1001"),
        (lambda: flag("1"), "1001"),
        (lambda: whole_parts({"id": "1,2,3"}, "id", 2), "1003"),
        (lambda: batch_size({"batchSize": "301"}), "1003"),
        (lambda: batch_size({"batchSize": "0"}), "1003"),
    ],
)
def test_what_cannot_be_read_is_refused(read: Callable[[], object], code: str) -> None:
    """Missing, of another type, or out of bounds."""
    with pytest.raises(Refusal) as refused:
        read()
    assert refused.value.code == code
