"""A caller of a sandbox instance without a network: it gets a token, sends what a test asks, and reads the answer."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from syncengine.sandbox.instance import Instance
from syncengine.sandbox.messages import Exchange, FileBody, Request, Response, StreamBody
from syncengine.sandbox.options import SandboxOptions

BOUNDARY = "a-boundary-of-tests"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
IMPORT_PATHS = {
    "leads": "/bulk/v1/leads.json",
    "custom_objects": "/bulk/v1/customobjects/car_c/import.json",
    "program_members": "/bulk/v1/program/4001/members/import.json",
}
BATCH_PATHS = {
    "leads": "/bulk/v1/leads/batch/{}",
    "custom_objects": "/bulk/v1/customobjects/car_c/import/{}",
    "program_members": "/bulk/v1/program/members/import/{}",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SMALL = {"leads": 300, "activities": 600, "client_id": "id", "client_secret": "secret", "control_key": "key"}


def small_options(**options: Any) -> SandboxOptions:
    """Options of a small instance."""
    return SandboxOptions(**{**SMALL, **options})


def text_of(seconds: float) -> str:
    """Unix seconds as Marketo takes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def value_of(response: Response) -> Any:
    """The JSON of an answer."""
    assert isinstance(response.body, bytes)
    return orjson.loads(response.body)


def code_of(response: Response) -> str:
    """Marketo's code of a refused call, empty for success."""
    errors = value_of(response).get("errors", [])
    return str(errors[0]["code"]) if errors else ""


def content_of(response: Response) -> bytes:
    """The bytes of a file answer."""
    assert isinstance(response.body, FileBody)
    return b"".join(response.body.pieces())


def multipart(content: bytes, *, name: str = "file") -> bytes:
    """The body of an import call."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.csv"\r\nContent-Type: text/csv'
    return f"{head}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


class Caller:
    """An instance, a clock that the test moves, and a token."""

    def __init__(self, **options: Any) -> None:
        self.options = small_options(**options)
        self.instance = Instance(self.options)
        self.now = self.options.start_seconds
        self.token = ""

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A request with the caller's token."""
        sent = {"Authorization": f"Bearer {self.token}", **(JSON if body is not None else {}), **(headers or {})}
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return Request(method, path, query or {}, sent, content)

    def login(self, **changes: str) -> Response:
        """Ask for a token with a form body and keep it."""
        form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret", **changes}
        request = Request("POST", "/identity/oauth/token", {}, FORM, urlencode(form).encode())
        response = self.instance.handle(request, self.now)
        self.token = value_of(response).get("access_token", self.token)
        return response

    def arrive(self, method: str, path: str, body: Any = None, **more: Any) -> Exchange:
        """Send a call that stays in flight."""
        return self.instance.arrive(self.request(method, path, body, **more), self.now)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        """Send a call and finish it, logging in first when that has not happened."""
        if not self.token:
            self.login()
        return self.instance.handle(self.request(method, path, body, **more), self.now)

    def get(self, path: str, **query: object) -> Any:
        """The JSON of a GET; parameters are written as texts."""
        asked = {name: str(value) for name, value in query.items()}
        return value_of(self.call("GET", path, query=asked))

    def change(self, **asked: Any) -> Any:
        """Change data by the control path."""
        return value_of(self.control("POST", "change", asked))

    def truth(self, stream: str) -> list[dict[str, Any]]:
        """The JSON lines of a stream's truth."""
        response = self.control("GET", f"truth/{stream}")
        assert isinstance(response.body, StreamBody)
        return [orjson.loads(line) for line in b"".join(response.body.parts).splitlines()]

    def rows(self, root: str, body: dict[str, Any]) -> list[list[str]]:
        """The lines of the file of an export that is created, enqueued and awaited."""
        job_id = value_of(self.call("POST", f"{root}/create.json", body))["result"][0]["exportId"]
        assert code_of(self.call("POST", f"{root}/{job_id}/enqueue.json")) == ""
        self.now += 180
        content = content_of(self.call("GET", f"{root}/{job_id}/file.json"))
        return list(csv.reader(io.StringIO(content.decode(), newline="")))

    def control(self, method: str, action: str, body: Any = None) -> Response:
        """Use the control path."""
        return self.call(method, f"/__sandbox__/{action}", body, headers={"X-Sandbox-Key": "key"})

    def create(self, kind: str = "leads", *, days: float = 30, **more: Any) -> Response:
        """Create an export of the `days` before now."""
        window = {"startAt": text_of(self.now - days * 86_400), "endAt": text_of(self.now)}
        asked = {"filter": {"createdAt": window}, **({"fields": ["id", "email"]} if kind == "leads" else {}), **more}
        return self.call("POST", f"/bulk/v1/{kind}/export/create.json", asked)

    def queued(self, kind: str = "leads", **more: Any) -> str:
        """Create and enqueue an export; returns its id."""
        job_id = str(value_of(self.create(kind, **more))["result"][0]["exportId"])
        assert code_of(self.enqueue(job_id, kind)) == ""
        return job_id

    def enqueue(self, job_id: str, kind: str = "leads") -> Response:
        """Enqueue an export."""
        return self.call("POST", f"/bulk/v1/{kind}/export/{job_id}/enqueue.json")

    def job(self, job_id: str, kind: str = "leads") -> dict[str, Any]:
        """The job as its status call shows it."""
        shown: dict[str, Any] = value_of(self.call("GET", f"/bulk/v1/{kind}/export/{job_id}/status.json"))["result"][0]
        return shown

    def file(self, job_id: str, kind: str = "leads", **headers: str) -> Response:
        """The job's file."""
        return self.call("GET", f"/bulk/v1/{kind}/export/{job_id}/file.json", headers=headers)

    def imported(self, content: str | bytes, kind: str = "leads", **query: object) -> Response:
        """The answer to an import call with this file."""
        asked = {"format": "csv", **({"programMemberStatus": "On List"} if kind == "program_members" else {})}
        asked |= {name: str(value) for name, value in query.items()}
        body = multipart(content.encode() if isinstance(content, str) else content)
        return self.call("POST", IMPORT_PATHS[kind], body, query=asked, headers=MULTIPART)

    def batch(self, content: str | bytes, kind: str = "leads", **query: object) -> int:
        """The id of an accepted batch."""
        value = value_of(self.imported(content, kind, **query))
        assert value["success"], value
        return int(value["result"][0]["batchId"])

    def batch_status(self, batch_id: int, kind: str = "leads") -> dict[str, Any]:
        """The batch as its status call shows it."""
        path = BATCH_PATHS[kind].format(batch_id) + (".json" if kind == "leads" else "/status.json")
        shown: dict[str, Any] = value_of(self.call("GET", path))["result"][0]
        return shown

    def finished(self, content: str | bytes, kind: str = "leads", **query: object) -> dict[str, Any]:
        """The status of a batch that has had its time."""
        batch_id = self.batch(content, kind, **query)
        self.now += 100
        return self.batch_status(batch_id, kind)

    def listing(self, batch_id: int, which: str, kind: str = "leads") -> Response:
        """The failures or warnings of a batch."""
        return self.call("GET", BATCH_PATHS[kind].format(batch_id) + f"/{which}.json")

    def leads_by(self, name: str, values: str, fields: str = "id,email,firstName,lastName") -> list[dict[str, Any]]:
        """Leads as a query finds them."""
        query = {"filterType": name, "filterValues": values, "fields": fields}
        found: list[dict[str, Any]] = value_of(self.call("GET", "/rest/v1/leads.json", query=query))["result"]
        return found
