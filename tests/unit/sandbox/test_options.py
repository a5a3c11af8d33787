"""Tests of the options of a sandbox."""

from datetime import datetime
from typing import Any

import pytest

from syncengine.sandbox.options import SandboxOptions


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 0},
        {"speed": float("inf")},
        {"speed": float("nan")},
        {"years": 1_000},
        {"token_seconds": 0},
        {"bandwidth": 0},
        {"window_seconds": 0},
        {"status_seconds": 0},
        {"years": 0},
        {"leads": -1},
        {"assets": -1},
        {"workspaces": 0},
        {"latency_seconds": (0.4, 0.1)},
        {"job_seconds": (-1, 1)},
        {"import_seconds": (2, 1)},
        {"ingestion_seconds": (-1, 1)},
        {"imports_running": 0},
        {"start": datetime(2026, 1, 1)},  # noqa: DTZ001  # the very thing that is refused
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    """A sandbox that could not run is never made."""
    with pytest.raises(ValueError, match=r"."):
        SandboxOptions(**options)


def test_credentials_differ_from_sandbox_to_sandbox_and_are_not_shown() -> None:
    """Secrets are drawn anew and kept out of the text of the options."""
    first, second = SandboxOptions(), SandboxOptions()
    assert len({first.client_secret, second.client_secret, first.control_key, second.control_key}) == 4
    assert first.client_secret not in repr(first)
    assert first.control_key not in repr(first)
