"""Signals end a command in order."""

import signal
import subprocess
import sys

import anyio.lowlevel
import pytest

from syncengine.cli.running import run

SCRIPT = """
import sys, anyio
from syncengine.cli.failures import ended
from syncengine.cli.running import run

async def work():
    try:
        print("working", flush=True)
        await anyio.sleep(60)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep({cleaning})
            print("cleaned", flush=True)

try:
    run(work, resume="Run it again.")
except BaseException as error:
    sys.exit(ended(error))
"""


def started(cleaning: float) -> "subprocess.Popen[str]":
    script = SCRIPT.format(cleaning=cleaning)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "working\n" == process.stdout.readline()
    return process


def test_the_result_comes_back() -> None:
    """Work that ends by itself gives its value."""

    async def work() -> int:
        await anyio.lowlevel.checkpoint()
        return 42

    assert 42 == run(work)


def test_an_error_comes_out_for_the_one_place_that_tells_it() -> None:
    """Whatever work raises is inside what run raises."""

    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup) as caught:
        run(work)
    assert caught.group_contains(ZeroDivisionError)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_cleans_up(number: signal.Signals) -> None:
    """The work's last words are heard, then 130 and how to go on."""
    process = started(cleaning=0.0)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "cleaned\n" == out
    assert "syncengine: interrupted.\nRun it again.\n" == err
    assert 130 == process.returncode


def test_a_second_signal_ends_at_once() -> None:
    """Who presses Ctrl-C twice does not wait for anything."""
    process = started(cleaning=60.0)
    process.send_signal(signal.SIGINT)
    # The first one is known to have arrived when the second changes the outcome: they are sent until the end.
    while True:
        try:
            process.wait(timeout=0.05)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert "" == out
    assert -signal.SIGINT == process.returncode
