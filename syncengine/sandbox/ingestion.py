"""The Data Ingestion API: records are accepted with 202 and written a little later; nothing tells what became of them.

It has a host of its own at Adobe, here its paths stand beside the others'. Its calls count in none of the REST limits.
Person, custom object and program member records can be sent; what is checked at once is the shape of a call, and a
record that cannot be written is lost without a word, because the event stream that would tell of it is not modelled.
Adobe does not say how long it takes, nor what an answer to a call above 1 MB is.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
"""

import hashlib
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from syncengine.sandbox.auth import Tokens
from syncengine.sandbox.cells import BadCell, cell_reader, target
from syncengine.sandbox.counters import Counters
from syncengine.sandbox.database import Database
from syncengine.sandbox.fields import searchable_names
from syncengine.sandbox.lead_upserts import LeadUpsert
from syncengine.sandbox.limits import DayLedger, reset_zone
from syncengine.sandbox.lists import PARTITIONS
from syncengine.sandbox.messages import Request, Response
from syncengine.sandbox.object_upserts import MemberUpsert, ObjectUpsert
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.programs import FIRST_PROGRAM_ID, STATUSES
from syncengine.sandbox.replies import JSON_HEADERS
from syncengine.sandbox.routes import BODY_BYTES_MAX, JSON_TYPE
from syncengine.sandbox.sync import put_lead

INGESTION_PREFIX = "/subscriptions/"
OBJECTS_MAX = 1_000
DEDUPE_FIELDS_MAX = 2
PATH = re.compile(r"/subscriptions/([^/]+)/(persons|programmembers|customobjects/([^/]+))")
ERRORS = {
    "401013": "Oauth token is invalid",
    "403010": "Oauth token is missing",
    "404040": "Resource not found",
    "429001": "Service usage limit reached",
    "4000801": "Bad request",
    "4000802": "Invalid data",
    "4030801": "Unauthorized",
    "4290801": "Daily quota reached",
    "5000801": "Internal Server Error",
}

# Writes one record at an instant; False when it could not be written.
Write = Callable[[float], bool]


class Rejected(Exception):
    """The error code of a call that is not accepted, and what is wrong with it."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code, why)
        self.code = code
        self.why = why


def ingestion_error(code: str, message: str = "") -> Response:
    """An answer of the ingestion API that is not 202; its code begins with the HTTP status."""
    body = {"error_code": code, "message": message or ERRORS.get(code, "")}
    return Response(int(code[:3]), JSON_HEADERS, orjson.dumps(body), code=code)


@dataclass(slots=True)
class IngestionCall:
    """An accepted call; `writes` are emptied when they are done."""

    id: str
    kind: str
    due_at: float
    sha256: str
    writes: list[Write]
    close: Callable[[], None]
    objects: int
    written: int = 0
    failed: int = 0

    def truth(self) -> dict[str, Any]:
        """The call as the control path tells of it."""
        counts = {"objects": self.objects, "written": self.written, "failed": self.failed}
        return {"requestId": self.id, "kind": self.kind, "sha256": self.sha256, **counts}


class Ingestion:
    """Accepts calls and writes their records when they are due."""

    def __init__(self, data: Database, tokens: Tokens, options: SandboxOptions) -> None:
        self.calls: list[IngestionCall] = []
        self._data = data
        self._tokens = tokens
        self._options = options
        self._objects = DayLedger(reset_zone(options.reset))
        self._random = random.Random(f"ingestion {options.seed}")  # noqa: S311  # repeatable, not secret
        self._pending: list[IngestionCall] = []

    def advance(self, now: float) -> None:
        """Write what is due, in the order in which it was."""
        if not self._pending:
            return
        due = sorted((call for call in self._pending if call.due_at <= now), key=lambda call: call.due_at)
        for call in due:
            for write in call.writes:
                done = write(call.due_at)
                call.written += done
                call.failed += not done
            call.close()
            call.writes = []
            self._pending.remove(call)

    def answer(self, request: Request, headers: Mapping[str, str], now: float, counters: Counters) -> Response:
        """Accept a call, or say why not."""
        request_id = f"{self._random.getrandbits(128):032x}"
        try:
            call = self._accepted(request_id, request, headers, now)
        except Rejected as rejected:
            refused = ingestion_error(rejected.code, rejected.why)
            return Response(
                refused.status, {**refused.headers, "X-Request-Id": request_id}, refused.body, code=refused.code
            )
        counters.ingested(call.kind, call.objects)
        self._objects.add(now, call.objects)
        self.calls.append(call)
        self._pending.append(call)
        return Response(202, {"X-Request-Id": request_id})

    def _accepted(self, request_id: str, request: Request, headers: Mapping[str, str], now: float) -> IngestionCall:
        match = PATH.fullmatch(request.path)
        if match is None or match[1] != self._options.name or request.method != "POST":
            raise Rejected("404040")
        token = headers.get("x-mkto-user-token", "").strip()
        if not token:
            raise Rejected("403010")
        if self._tokens.check(f"Bearer {token}", now) is not None:
            raise Rejected("401013")
        if any(True for _ in request.query.items()) or not headers.get("content-type", "").startswith(JSON_TYPE):
            raise Rejected("4000801", "Bad request: JSON in the body and no query parameters")
        if len(request.body) > BODY_BYTES_MAX:
            raise Rejected("4000801", "Bad request: more than 1 MB")
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise Rejected("4000801", "Bad request: no JSON") from None
        if not isinstance(body, dict):
            raise Rejected("4000801")
        kind = match[2].partition("/")[0]
        writes, close = self._read(kind, match[3] or "", body)
        if len(writes) > OBJECTS_MAX:
            close()
            raise Rejected("4000802", f"Invalid data: more than {OBJECTS_MAX} objects")
        if self._objects.used(now) + len(writes) > self._options.ingestion_objects_per_day:
            close()
            raise Rejected("4290801")
        due_at = now + self._random.uniform(*self._options.ingestion_seconds)
        digest = hashlib.sha256(request.body).hexdigest()
        return IngestionCall(request_id, kind, due_at, digest, writes, close, len(writes))

    def _read(self, kind: str, api_name: str, body: dict[str, Any]) -> tuple[list[Write], Callable[[], None]]:
        if body.get("priority", "normal") not in {"normal", "high"}:
            raise Rejected("4000802", "Invalid data: priority")
        if kind == "persons":
            return self._persons(body)
        if kind == "customobjects":
            return self._custom_objects(api_name, body)
        return self._members(body), lambda: None

    def _persons(self, body: dict[str, Any]) -> tuple[list[Write], Callable[[], None]]:
        people, records = self._data.people, _objects(body, "persons")
        if body.get("partitionName", "Default") not in {partition["name"] for partition in PARTITIONS}:
            raise Rejected("4000802", "Invalid data: partitionName")
        dedupe = body.get("dedupeFields") or {"field1": "email"}
        names = [dedupe[key] for key in ("field1", "field2") if key in dedupe] if isinstance(dedupe, dict) else []
        known = {*searchable_names(people.fields.values()), "firstName"}  # Adobe's own example has firstName
        if not 1 <= len(names) <= DEDUPE_FIELDS_MAX or not set(names) <= known:
            raise Rejected("4000802", "Invalid data: dedupeFields")
        lookup, *also = names
        upsert = LeadUpsert(people, lookup, also=also[0] if also else "")

        def writing(record: dict[str, Any]) -> Write:
            return lambda now: put_lead(people, upsert, lookup, record, now).row >= 0

        return [writing(record) for record in records], upsert.close

    def _custom_objects(self, api_name: str, body: dict[str, Any]) -> tuple[list[Write], Callable[[], None]]:
        kind, records = self._data.custom.types.get(api_name), _objects(body, "customObjects")
        if kind is None or not kind.is_approved:
            raise Rejected("404040")
        keys = {"dedupeFields": kind.dedupe, "marketoGUID": ("marketoGUID",)}
        key = keys.get(body.get("dedupeBy") or "dedupeFields")
        if key is None:
            raise Rejected("4000802", "Invalid data: dedupeBy")
        upsert = ObjectUpsert(
            self._data.custom.tables[kind.name],
            key,
            "updateOnly" if key == ("marketoGUID",) else "createOrUpdate",
        )

        def writing(record: dict[str, Any]) -> Write:
            return lambda now: upsert.put_record(record, now).row >= 0

        return [writing(record) for record in records], upsert.close

    def _members(self, body: dict[str, Any]) -> list[Write]:
        writes = []
        for program in _objects(body, "programs"):
            program_id, status = program.get("programId"), program.get("status") or program.get("statusName")
            if type(program_id) is not int or program_id <= 0:
                raise Rejected("4000802", "Invalid data: programId")
            if not isinstance(status, str) or not status.strip() or status.lower() == "not in program":
                raise Rejected("4000802", "Invalid data: status")
            for member in _objects(program, "members" if "members" in program else "input"):
                if type(member.get("leadId")) is not int:
                    raise Rejected("4000802", "Invalid data: leadId")
                writes.append(self._member(program_id, status, member))
        return writes

    def _member(self, program_id: int, status: str, member: dict[str, Any]) -> Write:
        data = self._data
        fields = {name.lower(): field for name, field in data.members.records.fields.items() if field.is_updateable}

        def write(now: float) -> bool:
            is_known = program_id - FIRST_PROGRAM_ID in data.programs.rows() and status in STATUSES
            if not is_known or data.people.find(member["leadId"]) is None:
                return False
            values = {}
            for name, value in member.items():
                field = fields.get(name.lower())
                if field is not None:
                    try:
                        values[field.name] = cell_reader(
                            target(field.name, field.label, field.data_type, field.length)
                        )(value)
                    except BadCell:
                        return False
                elif name != "leadId":
                    return False
            MemberUpsert(data.members, program_id, status).put(member["leadId"], values, now)
            return True

        return write


def _objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects that is not empty."""
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise Rejected("4000802", f"Invalid data: {name}")
    return found
