"""The account of a night on disk: as JSON for programs, and as a text that can be read over coffee.

Apart from the journal, which has the same as a run: files can be mailed, archived and read without us.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from syncengine.clock import SystemClock
from syncengine.service.schedule.nights import NightReport, evening_of
from syncengine.threads import run_blocking

ENDINGS = (".json", ".txt")
ACCOUNT = re.compile(r"\d{4}-\d\d-\d\d-.+-\d{8}T\d{4}Z\.")
VERDICTS = {
    "done": "The night is whole.",
    "partial": "The night is not whole: something is missing.",
    "paused": "The night is not whole: today's quota was used up before its end.",
    "failed": "The night has failed.",
    "stopped": "The night is not whole: its time was over.",
    "skipped": "The night was missed, and is not made up for.",
    "interrupted": "The night was interrupted.",
}


async def write_account(folder: Path, report: NightReport, zone: str) -> list[Path]:
    """Write both files, each in one step; gives their paths. Raises OSError."""
    return await run_blocking(lambda: _write(folder / report.instance, report, zone))


def _write(folder: Path, report: NightReport, zone: str) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{evening_of(report.due, zone)}-{report.group}-{report.due:%Y%m%dT%H%MZ}"
    texts = {
        ".json": orjson.dumps(report.facts(), option=orjson.OPT_INDENT_2),
        ".txt": as_text(report, zone).encode(),
    }
    written = []
    for ending, content in texts.items():
        path = folder / f"{name}{ending}"
        _replace(path, content)
        written.append(path)
    return written


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def clear_accounts(folder: Path, keep: timedelta) -> None:
    """Remove the accounts that are older than `keep`, and nothing else. Raises OSError."""
    oldest = SystemClock().now().timestamp() - keep.total_seconds()
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix in ENDINGS and ACCOUNT.match(path.name) and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def as_text(report: NightReport, zone: str) -> str:
    """The account in words and columns."""
    return "\n".join(_lines(report, zone)) + "\n"


def _lines(report: NightReport, zone: str) -> Iterator[str]:
    yield f"{report.instance}, {report.group}: night of {evening_of(report.due, zone)}"
    yield VERDICTS.get(report.outcome, report.outcome or "The night is under way.")
    yield ""
    yield f"Due       {_instant(report.due, zone)}"
    yield f"Began     {_instant(report.began_at, zone)}"
    if report.ended_at is not None:
        minutes = (report.ended_at - report.began_at).total_seconds() / 60
        yield f"Ended     {_instant(report.ended_at, zone)}, after {minutes:,.1f} minutes"
    tries = "1 attempt" if report.attempts == 1 else f"{report.attempts} attempts"
    runs = f", runs {', '.join(map(str, report.runs))}" if report.runs else ""
    yield f"Took      {tries}{runs}"
    yield f"Cost      {report.calls:,} calls, {report.export_bytes / 1_000_000:,.1f} MB of bulk export"
    if report.streams:
        yield ""
        width = max(len(name) for name in report.streams)
        yield f"{'stream':<{width}}  {'rows read':>12}  {'inserted':>12}  {'changed':>12}"
        for name, each in sorted(report.streams.items()):
            yield f"{name:<{width}}  {each.rows:>12,}  {each.inserted:>12,}  {each.changed:>12,}"
    if report.assets:
        yield f"Assets fetched: {report.assets:,}"
    for ending, count in sorted(report.files.items()):
        yield f"Files of watched folders, {ending}: {count:,}"
    if report.problems:
        yield ""
        yield "What went wrong"
        yield from (f"- {line}" for line in report.problems)
    if report.advice:
        yield ""
        yield "What to do"
        yield from (f"- {line}" for line in report.advice)


def _instant(instant: datetime, zone: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {zone}" + ("" if zone == "UTC" else f" ({instant:%Y-%m-%dT%H:%MZ})")
