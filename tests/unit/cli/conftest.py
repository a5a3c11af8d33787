"""What the tests of imports on the command line run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.live import Shell, configured, sandbox


@pytest.fixture(scope="session")
def live_sandbox() -> Iterator[str]:
    """The address of a sandbox that lives for a session."""
    with sandbox() as address:
        yield address


@pytest.fixture
def shell(
    live_sandbox: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_proxy: None,
) -> Shell:
    """A folder of one's own whose configuration means the sandbox."""
    monkeypatch.delenv("SYNCENGINE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    configured(tmp_path, live_sandbox)
    return Shell(tmp_path, capsys)
