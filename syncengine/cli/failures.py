"""Turns whatever ended a command into sentences and an exit code: what happened, where, what to do.

The only place that knows exit codes. No traceback is shown unless asked for; that of a bug is written to a file.
"""

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress

from syncengine import errors
from syncengine.cli.running import Interrupted
from syncengine.cli.screen import clean, json_line

BUG = 70
INTERRUPTED = 130
PIPE_CLOSED = 141
PARTIAL = 1

# The first class that fits decides; among several errors of a group, the one that stands first here is told.
EXIT_CODES: tuple[tuple[type[errors.SyncEngineError], int], ...] = (
    (errors.ConfigError, 2),
    (errors.CredentialsRejected, 3),
    (errors.PermissionDenied, 3),
    (errors.QuotaExhausted, 4),
    (errors.NoSpace, 8),
    (errors.DestinationUnavailable, 5),
    (errors.AlreadyRunning, 7),
    (errors.LeaseLost, 7),
    (errors.DestinationFenced, 7),
    (errors.StateUnusable, 2),
    (errors.SourceUnusable, 2),
    (errors.Unavailable, 6),
    (errors.IllegalMove, BUG),
    (errors.SyncEngineError, PARTIAL),
)


def exit_code(error: BaseException) -> int:
    """The exit code that an error ends a command with."""
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return 8
    return _code_of(type(error))


def exit_code_named(class_name: str) -> int:
    """The exit code of an error that is known by its class's name only; 1 for an unknown one."""
    kind = getattr(errors, class_name, None)
    return _code_of(kind) if isinstance(kind, type) else PARTIAL


def _code_of(kind: type) -> int:
    return next((code for known, code in EXIT_CODES if issubclass(kind, known)), BUG)


def ended(error: BaseException, *, debug: bool = False, as_json: bool = False) -> int:
    """Tell people (stderr) and, if asked, programs (stdout) what ended the command, and give its exit code."""
    matter = that_matters(error)
    code = exit_code(matter)
    if code == PIPE_CLOSED:
        # What is left in the buffer has no reader either: the interpreter's own flush must not complain at its exit.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code
    message, problems, advice = _told(matter, code, error)
    if debug:
        traceback.print_exception(error)
    with suppress(BrokenPipeError):
        for line in (f"syncengine: {message}", *(f"  {problem}" for problem in problems), advice):
            if line:
                print(clean(line), file=sys.stderr)  # noqa: T201  # the command line's own voice
        if as_json:
            facts = {"type": type(matter).__name__, "message": message, "problems": problems, "advice": advice}
            sys.stdout.write(json_line({"error": facts | {"exit_code": code}}))
            sys.stdout.flush()
    return code


def that_matters(error: BaseException) -> BaseException:
    """The error to tell: groups of task groups are opened, and what the engine says on purpose goes first."""
    leaves = list(_leaves(error))
    for kind in (Interrupted, KeyboardInterrupt, *(kind for kind, _ in EXIT_CODES), OSError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _told(matter: BaseException, code: int, error: BaseException) -> tuple[str, tuple[str, ...], str]:
    if isinstance(matter, Interrupted):
        return "interrupted.", (), matter.resume
    if isinstance(matter, KeyboardInterrupt):
        return "interrupted.", (), "Run the command again to go on."
    if isinstance(matter, errors.SyncEngineError) and code != BUG:
        problems = matter.problems if isinstance(matter, errors.ConfigError) else ()
        return matter.message, problems, matter.advice
    if code == 8:
        return "the disk is full.", (), "Free some room and run the command again: it goes on where this one stopped."
    written = _written(error)
    message = f"this is a bug in syncengine: {type(matter).__name__}."
    return message, (), f"{written} What was committed is kept; running the command again is safe."


def _written(error: BaseException) -> str:
    """Write the traceback where only its owner can read it, since messages of libraries may quote values."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="syncengine-", suffix=".traceback.txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return "Its traceback could not be written; --debug shows it."
    return f"Its traceback is in {path}: please report it (read it first, it may quote data)."
