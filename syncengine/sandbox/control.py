"""The control path: change data, read the truth and the counters, set faults. It needs the control key, else 404.

    GET  /__sandbox__/counters         POST /__sandbox__/counters/reset
    POST /__sandbox__/change           GET  /__sandbox__/truth/leads, /__sandbox__/truth/activities   (JSON lines)
    POST /__sandbox__/faults           GET  /__sandbox__/clock

Separate from the API because none of it exists at Marketo: its calls are neither limited nor counted.
"""

import hmac
import random
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from syncengine.sandbox.activities import Activities
from syncengine.sandbox.counters import Counters
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.messages import Request, Response, StreamBody
from syncengine.sandbox.people import FIRST_LEAD_ID, People
from syncengine.sandbox.replies import json_reply, plain
from syncengine.sandbox.values import utc_formatter

CONTROL_PREFIX = "/__sandbox__/"
LINES_HEADERS = {"Content-Type": "application/x-ndjson;charset=UTF-8"}


class Controlled(Protocol):
    """What the control path may do to an instance."""

    people: People
    activities: Activities
    counters: Counters

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
        return _carry_out(instance, request.method, request.path.removeprefix(CONTROL_PREFIX), body, now)
    except (ValueError, TypeError, KeyError) as error:
        return json_reply({"error": str(error)}, 400)


def _carry_out(instance: Controlled, method: str, action: str, body: Any, now: float) -> Response:  # noqa: PLR0911  # a case for each action
    match method, action:
        case "GET", "counters":
            return json_reply(instance.report())
        case "POST", "counters/reset":
            instance.reset_counters()
            return json_reply({"reset": True})
        case "POST", "change":
            return json_reply(change(instance, body, now))
        case "GET", "truth/leads":
            return Response(200, LINES_HEADERS, StreamBody(instance.people.truth()))
        case "GET", "truth/activities":
            return Response(200, LINES_HEADERS, StreamBody(instance.activities.truth()))
        case "POST", "faults":
            rules = body["rules"] if isinstance(body, dict) else body
            instance.set_faults(rules)
            return json_reply({"rules": len(rules)})
        case "GET", "clock":
            return json_reply({"now": utc_formatter()(int(now)), "unix_seconds": now})
        case _:
            return plain(404, "Not Found")


def change(instance: Controlled, asked: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Change data now and return the ids and GUIDs that were touched.

    `update_leads`, `add_leads` and `add_activities` are counts of random changes drawn from `seed`; `leads` (objects
    with `id` and the fields to set), `new_leads` and `new_activities` are explicit ones.
    """
    people, activities = instance.people, instance.activities
    known = {"update_leads", "add_leads", "add_activities", "seed", "leads", "new_leads", "new_activities"}
    unknown = sorted(set(asked) - known)
    if unknown:
        raise ValueError(f"a change has no {', '.join(unknown)}")
    rng = random.Random(f"change {asked.get('seed', now)}")  # noqa: S311  # repeatable, not secret
    updated = []
    for row in rng.sample(range(len(people)), int(asked.get("update_leads", 0))):
        people.update(FIRST_LEAD_ID + row, _random_values(people, rng), now)
        updated.append(FIRST_LEAD_ID + row)
    for given in asked.get("leads", ()):
        values = dict(given)
        lead_id = int(values.pop("id"))
        people.update(lead_id, values, now)
        updated.append(lead_id)
    added = [people.add({"lastName": f"Added {number}"}, now) for number in range(int(asked.get("add_leads", 0)))]
    added += [people.add(values, now) for values in asked.get("new_leads", ())]
    guids = [activities.add({}, now) for _ in range(int(asked.get("add_activities", 0)))]
    guids += [activities.add(values, now) for values in asked.get("new_activities", ())]
    return {"now": utc_formatter()(int(now)), "updated_leads": updated, "added_leads": added, "added_activities": guids}


def _random_values(people: People, rng: random.Random) -> dict[str, Any]:
    fields = [field for field in people.fields.values() if not field.is_read_only]
    values: dict[str, Any] = {"leadScore": rng.randrange(-50, 500)}
    for field in rng.sample(fields, min(3, len(fields))):
        if field.data_type in {"string", "text"}:
            values[field.name] = rng.choice((None, *HOSTILE_TEXTS))
        elif field.data_type == "boolean":
            values[field.name] = rng.choice((True, False, None))
    return values
