"""`doctor`: everything that a report of a bug needs, however broken things are, and nothing that is a secret.

Each section is collected by itself: one that fails says why, and the others are there all the same. What is shown of
the configuration is chosen by `config.shown`; over everything, whoever wrote it, goes a last redaction.

Apart from `status`, `check` and `state verify`, which answer one question each, and stop where they cannot.
"""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from syncengine.checks import SKEW_SECONDS_WARN
from syncengine.choices import JOURNAL, SLOTS, boot_of, gate_limits, limited_as, open_clock, wire_to
from syncengine.clock import SystemClock
from syncengine.config import Settings, load_all
from syncengine.config.shown import Written, secrets_of, shown, written_in
from syncengine.errors import ConfigError, MarketoError, SyncEngineError
from syncengine.jobs.inspection import last_runs, look
from syncengine.jobs.lease import this_process
from syncengine.marketo.call import Priority
from syncengine.marketo.endpoints import identity, usage
from syncengine.observe.machine import machine, versions
from syncengine.observe.redaction import Redaction
from syncengine.state_folder import size_of
from syncengine.state_reports import DoctorReport
from syncengine.state_verify import looked_at
from syncengine.status import read_status
from syncengine.threads import run_blocking
from syncengine.transport.book import MemorySlotStore, SlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.retry import Patience
from syncengine.transport.shared_slots import SharedSlotStore

ONLINE_SECONDS = 10.0
RUNS_SHOWN = 20
FINDINGS_SHOWN = 200
LOG_LINES = 200
LOG_BYTES = 1_000_000
LINE_LENGTH_MAX = 2_000
FRAMES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: a configuration, Marketo unless not `online`, and the end of a log."""

    config: Path
    online: bool = True
    log: Path | None = None


@dataclass(slots=True)
class Examination:
    """Sections as they are collected, and what looked wrong in them."""

    asked: Asked
    sections: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    async def collect(self, name: str, work: Callable[[], Awaitable[Any]], into: dict[str, Any] | None = None) -> None:
        """Collect one section; whatever keeps it from coming stands in its place."""
        place = self.sections if into is None else into
        try:
            place[name] = await work()
        except Exception as error:  # noqa: BLE001  # a doctor sees what nobody foresaw, and goes on
            place[name] = failure(error)
            self.problems.append(f"{name} cannot be told: {place[name]['failed']}")


async def examine(asked: Asked) -> DoctorReport:
    """Collect every section. Nothing is raised but what ends a process, and nothing in it is a secret."""
    found = Examination(asked)
    written = await run_blocking(partial(written_in, asked.config))
    instances: tuple[Settings, ...] = ()
    found.sections["taken_at"] = SystemClock().now()
    await found.collect("versions", partial(run_blocking, versions))
    try:
        instances = await run_blocking(partial(load_all, asked.config))
    except Exception as error:  # noqa: BLE001  # the same
        found.sections["configuration"] = failure(error)
        found.problems.append(f"the configuration cannot be read: {found.sections['configuration']['failed']}")
        found.problems += found.sections["configuration"].get("problems", ())
    else:
        await found.collect("configuration", partial(run_blocking, partial(_configuration, instances, written)))
    folder = instances[0].state.path if instances else _state_folder(asked.config, written)
    is_real = not instances or instances[0].instance.time_scale == 1.0
    await found.collect("machine", partial(run_blocking, partial(_machine, found.problems, folder)))
    if folder is not None:
        await found.collect("state", partial(run_blocking, partial(_state, found.problems, folder, is_real=is_real)))
    found.sections["instances"] = {}
    for settings in instances:
        await _instance(found, settings)
    if asked.log is not None:
        await found.collect("log", partial(run_blocking, partial(_log, asked.log)))
    redaction = Redaction(await run_blocking(partial(secrets_of, instances, written)))
    problems = tuple(redaction.text(each) for each in found.problems)
    return DoctorReport(redaction.value({**found.sections, "problems": problems}), problems)


def failure(error: Exception) -> dict[str, Any]:
    """Why a section is missing: in the engine's words or, where it has none, by the place and without a value."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, SyncEngineError):
        told: dict[str, Any] = {"failed": error.message, "advice": error.advice}
        return told | ({"problems": error.problems} if isinstance(error, ConfigError) else {})
    if isinstance(error, OSError):
        return {"failed": f"{type(error).__name__}: {error.strerror}"}
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return {
        "failed": type(error).__name__,
        "where": [f"{Path(each.filename).name}:{each.lineno} in {each.name}" for each in frames],
    }


def _configuration(instances: tuple[Settings, ...], written: Written) -> dict[str, Any]:
    return {settings.instance.name: shown(settings, written) for settings in instances}


def _state_folder(config: Path, written: Written) -> Path | None:
    """Where the state lies by a file that is TOML but no configuration."""
    table = written.document.get("state", {})
    path = table.get("path", "state") if isinstance(table, Mapping) else None
    return config.resolve().parent / path if written.document and isinstance(path, str) and "${" not in path else None


def _machine(problems: list[str], folder: Path | None) -> dict[str, Any]:
    facts, wrong = machine(folder)
    problems += wrong
    return facts


def _state(problems: list[str], folder: Path, *, is_real: bool) -> dict[str, Any]:
    sizes = {path.name: size_of(path) for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    facts: dict[str, Any] = {"folder": str(folder), "bytes": sizes}
    try:
        report, _ = looked_at(folder, SystemClock().now() if is_real else None)
    except SyncEngineError as error:
        problems.append(f"the state cannot be read: {error.message}")
        return facts | {"verify": failure(error)}
    problems += [f"state, {each.where}: {each.what}" for each in report.findings[:FINDINGS_SHOWN] if each.wrong]
    verify = asdict(report) | {"whole": report.whole, "found": len(report.findings)}
    return facts | {"verify": verify | {"findings": verify["findings"][:FINDINGS_SHOWN]}}


async def _instance(found: Examination, settings: Settings) -> None:
    """What is known of one instance: where it stands, how its last runs ended, and what Marketo says itself."""
    name = settings.instance.name
    here: dict[str, Any] = {}
    found.sections["instances"][name] = here

    async def status() -> Any:
        report = await read_status(settings)
        if report.destination_problem:
            found.problems.append(f"{name}: the destination cannot be read: {report.destination_problem}")
        return asdict(report)

    async def runs() -> Any:
        return await run_blocking(partial(_runs, settings))

    async def marketo() -> Any:
        answer = await asked_marketo(settings)
        if "failed" in answer:
            found.problems.append(f"{name}: Marketo does not answer as it should: {answer['failed']}")
        if abs(answer.get("skew_seconds") or 0.0) > SKEW_SECONDS_WARN:
            found.problems.append(f"{name}: this machine's clock is {abs(answer['skew_seconds']):.0f} s off Marketo's")
        return answer

    await found.collect("status", status, here)
    await found.collect("runs", runs, here)
    if found.asked.online:
        await found.collect("marketo", marketo, here)


def _runs(settings: Settings) -> list[dict[str, Any]]:
    path = settings.state.path / JOURNAL
    runs = look(path, partial(last_runs, instance=settings.instance.name, count=RUNS_SHOWN)) if path.exists() else []
    told = ("problem", "problems", "errors", "calls", "resume_at")
    return [
        {
            "run": run.id,
            "kind": run.kind,
            "began": run.started_at,
            "ended": run.ended_at,
            "outcome": run.outcome,
            **{each: run.report[each] for each in told if run.report.get(each)},
        }
        for run in runs
    ]


async def asked_marketo(settings: Settings) -> dict[str, Any]:
    """How Marketo's clock and its count of today's calls compare with ours; spends one call, and takes ten seconds."""
    answer: dict[str, Any] = {}
    try:
        with SystemClock().fail_after(ONLINE_SECONDS):
            async with AsyncExitStack() as opened:
                client = await _client(settings, opened)
                try:
                    used = await client.send(usage.today())
                    answer |= {"calls_today": used.calls, "users_today": len(used.calls_by_user)}
                finally:
                    # Exactly none means that nothing has answered: the header tells whole seconds.
                    answer["skew_seconds"] = client.skew.total_seconds() if client.skew else None
    except TimeoutError:
        answer["failed"] = f"no answer within {ONLINE_SECONDS:g} s"
    except MarketoError as error:
        answer |= failure(error) | {"code": error.code, "call": error.call}
    return answer


async def _client(settings: Settings, opened: AsyncExitStack) -> Client:
    clock, path = await open_clock(settings), settings.state.path / SLOTS
    slots: SlotStore = MemorySlotStore()
    if await run_blocking(path.exists):
        # Its call counts with those of all others.
        seconds, now = settings.limits.window_seconds, clock.monotonic()
        slots = SharedSlotStore(path, limited_as(settings), boot_of(settings), window_seconds=seconds, now=now)
        opened.push_async_callback(slots.close)
    wire = await opened.enter_async_context(wire_to(settings.instance.base_url, settings.network, clock))
    known = settings.instance
    return Client(
        wire,
        Gate(slots, gate_limits(settings), clock, holder=str(this_process())),
        clock,
        lambda: identity.token(known.client_id, known.client_secret.reveal()),
        priority=Priority.INTERACTIVE,
        patience=Patience(tries=1, wait_seconds=0.0),
    )


def _log(path: Path) -> list[str]:
    """The last lines of a log; the redaction of all texts goes over them too."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        lines = file.read(LOG_BYTES).decode(errors="replace").splitlines()
    return [line[:LINE_LENGTH_MAX] for line in lines[-LOG_LINES:]]


def default_name(at: datetime) -> str:
    """What the file of a report is called that was made at an instant."""
    return f"syncengine-doctor-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"
