"""The control path: change data, read the truth and the counters, set faults. It needs the control key, else 404.

    GET  /__sandbox__/counters         POST /__sandbox__/counters/reset
    POST /__sandbox__/change           GET  /__sandbox__/truth/{stream}   (JSON lines)
    POST /__sandbox__/faults           GET  /__sandbox__/clock

Streams: leads, activities and lead_changes (those that Marketo shows by now), deleted_leads, program_members, programs,
lists, list_members, campaigns, partitions, companies, salespersons, opportunities, opportunity_roles, named_accounts,
named_account_lists, custom_objects/{name}; imports (batches in the order in which they were accepted, with the SHA-256
of their files), ingestion (accepted calls likewise) and duplicate_leads (e-mail addresses that several leads have, one
of them by a write of the API). What a change may be stands in changes.py.

Separate from the API because none of it exists at Marketo: its calls are neither limited nor counted.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from syncengine.sandbox.changes import change
from syncengine.sandbox.counters import Counters
from syncengine.sandbox.database import Database
from syncengine.sandbox.messages import Request, Response, StreamBody
from syncengine.sandbox.replies import json_reply, plain
from syncengine.sandbox.values import utc_formatter

CONTROL_PREFIX = "/__sandbox__/"
LINES_HEADERS = {"Content-Type": "application/x-ndjson;charset=UTF-8"}


class Controlled(Protocol):
    """What the control path may do to an instance."""

    data: Database
    counters: Counters

    def truth(self, stream: str, now: float, host: str) -> Iterator[bytes] | None:
        """What a stream holds, as JSON lines; None for a stream that there is not."""
        ...

    def set_faults(self, rules: list[Mapping[str, Any]]) -> None:
        """Replace the fault script."""
        ...

    def reset_counters(self) -> None:
        """Start counting anew."""
        ...

    def report(self) -> dict[str, Any]:
        """The counters."""
        ...


def answer(instance: Controlled, key: str, request: Request, given_key: str, now: float) -> Response:
    """Answer a call of the control path."""
    if not hmac.compare_digest(key.encode(), given_key.encode()):
        return plain(404, "Not Found")
    try:
        body = orjson.loads(request.body) if request.body else {}
        return _carry_out(instance, request, body, now)
    except (ValueError, TypeError, KeyError) as error:
        return json_reply({"error": str(error)}, 400)


def _carry_out(instance: Controlled, request: Request, body: Any, now: float) -> Response:  # noqa: PLR0911  # a case for each action
    match request.method, request.path.removeprefix(CONTROL_PREFIX):
        case "GET", "counters":
            return json_reply(instance.report())
        case "POST", "counters/reset":
            instance.reset_counters()
            return json_reply({"reset": True})
        case "POST", "change":
            return json_reply(change(instance.data, body, now))
        case "GET", stream if stream.startswith("truth/"):
            lines = instance.truth(stream.removeprefix("truth/"), now, _host_of(request))
            return plain(404, "Not Found") if lines is None else Response(200, LINES_HEADERS, StreamBody(lines))
        case "POST", "faults":
            rules = body["rules"] if isinstance(body, dict) else body
            instance.set_faults(rules)
            return json_reply({"rules": len(rules)})
        case "GET", "clock":
            return json_reply({"now": utc_formatter()(int(now)), "unix_seconds": now})
        case _:
            return plain(404, "Not Found")


def _host_of(request: Request) -> str:
    """The host that the call was sent to."""
    return next((value for name, value in request.headers.items() if name.lower() == "host"), "localhost")
