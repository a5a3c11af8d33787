"""What changes by the second: values by name, which the page is drawn with and which follow it as server-sent events.

The values are texts, ready to be shown, made in one place for both: what a script puts into the page is what the page
would have said. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator

import anyio
import orjson

from syncengine.clock import Clock
from syncengine.service.seen.bulk import EXPORT, IMPORT
from syncengine.service.seen.figures import UNKNOWN, count, machine, megabytes, percent, utc
from syncengine.service.seen.snapshot import InstanceSnapshot, Snapshot
from syncengine.service.seen.snapshots import Snapshots

LISTENERS_MAX = 16
EVENT_SECONDS = 2.0
PING_SECONDS = 15.0
BAR = 100.0


def values(snapshot: Snapshot) -> dict[str, str]:
    """Every live value by its name, such as acme.window."""
    found = {"at": utc(snapshot.at), "revision": revision(snapshot)}
    for instance in snapshot.instances:
        found |= {f"{instance.name}.{name}": text for name, text in _values(instance).items()}
    return found


def revision(snapshot: Snapshot) -> str:
    """Another text when something has changed that only a new page shows: a run, a night, a problem, a group's turn."""
    parts = []
    for each in snapshot.instances:
        latest = each.runs[0] if each.runs else None
        parts.append(f"{latest.run_id}{latest.outcome}" if latest else "")
        parts.append(str(len(each.problems)))
        parts += [f"{group.state}{machine(group.next_due) if group.next_due else ''}" for group in each.groups]
        parts += [each.journal_problem, each.destination_problem, each.taken_over]
    return hashlib.sha256("|".join([*parts, str(len(snapshot.problems))]).encode()).hexdigest()[:12]


def _values(instance: InstanceSnapshot) -> dict[str, str]:
    live = instance.live
    queues = Counter(job.queue for job in instance.jobs)
    found: dict[str, str] = {f"group.{group.group}.state": group.state for group in instance.groups}
    for queue in (EXPORT, IMPORT):
        found[f"{queue}s"] = UNKNOWN if instance.journal_problem else count(queues[queue])
    if live.problem:
        return found | dict.fromkeys(LIVE_NAMES, UNKNOWN) | {"calls.bar": "0", "export.bar": "0", "holders": UNKNOWN}
    holders = ", ".join(f"{holder} ({calls})" for holder, calls in sorted(live.holders.items()))
    return found | {
        "window": count(live.window),
        "in_flight": count(live.in_flight),
        "holders": holders or "nobody",
        "waiting": ", ".join(sorted(live.waiting)) or "nobody",
        "calls": count(live.calls.used),
        "calls.percent": percent(live.calls.used, live.calls.limit),
        "calls.bar": _bar(live.calls.used, live.calls.limit),
        "export": megabytes(live.export.used),
        "export.percent": percent(live.export.used, live.export.limit),
        "export.bar": _bar(live.export.used, live.export.limit),
    }


LIVE_NAMES = ("window", "in_flight", "waiting", "calls", "calls.percent", "export", "export.percent")


def _bar(used: int, limit: int) -> str:
    return f"{min(BAR, BAR * used / limit if limit else 0.0):.2f}"


async def events(snapshots: Snapshots, ending: anyio.Event) -> AsyncIterator[bytes]:
    """The values as events: all at first, then what changed, and at times only the time: silence is noticed.

    Ends when `ending` is set.
    """
    clock, said_at = snapshots.clock, snapshots.clock.monotonic()
    shown: dict[str, str] = {}
    yield b"retry: 5000\n\n"
    while not ending.is_set():
        now = values(await snapshots.latest())
        # The time alone is no news.
        at = {"at": now.pop("at")}
        if changed := {name: text for name, text in now.items() if shown.get(name) != text}:
            shown, said_at = now, clock.monotonic()
            yield b"data: " + orjson.dumps(at | changed) + b"\n\n"
        elif clock.monotonic() - said_at >= PING_SECONDS:
            said_at = clock.monotonic()
            yield b": ping\nevent: still\ndata: " + orjson.dumps(at) + b"\n\n"
        await _pause(clock, ending)


async def _pause(clock: Clock, ending: anyio.Event) -> None:
    with clock.move_on_after(EVENT_SECONDS):
        await ending.wait()
