"""Which endpoint a request means, and what it carries; separate so that the instance judges calls, not texts.

`POST` with `_method=GET` in the URL and a form body is a GET with those parameters, for queries above the URI limit:
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from syncengine.sandbox.messages import Request
from syncengine.sandbox.replies import HttpRefusal, plain, refusal

# Adobe says 8 KB and 1 MB; the decimal reading is the stricter one.
URI_BYTES_MAX = 8_000
BODY_BYTES_MAX = 1_000_000

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

API_ROOTS = ("/identity/", "/rest/", "/bulk/")
BULK_PATH = re.compile(
    r"/bulk/v1/(?P<kind>leads|activities)/export"
    r"(?:\.json|/(?P<make>create)\.json|/(?P<job>[^/]+)/(?P<verb>enqueue|cancel|status|file)\.json)"
)
BULK_METHODS = {"list": "GET", "create": "POST", "enqueue": "POST", "cancel": "POST", "status": "GET", "file": "GET"}
METHODS = {
    "identity": frozenset({"GET", "POST"}),
    **{
        f"{kind}.export.{verb}": frozenset({method})
        for kind in ("leads", "activities")
        for verb, method in BULK_METHODS.items()
    },
}
ONLY_GET = frozenset({"GET"})
PATHS = {
    "/identity/oauth/token": "identity",
    "/rest/v1/leads/describe.json": "describe",
    "/rest/v1/leads/describe2.json": "describe2",
    "/rest/v1/activities/types.json": "activity_types",
    "/rest/v1/stats/usage.json": "usage",
    "/rest/v1/stats/usage/last7days.json": "usage_last7days",
}
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read: the endpoint's name, the method that is meant, parameters, headers by lower-case name."""

    endpoint: str
    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    request: Request
    kind: str = ""
    job_id: str = ""

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a form body; empty for any other body."""
        return form_of(self.request, self.headers)

    @property
    def is_identity(self) -> bool:
        """The call asks for a token."""
        return self.endpoint == "identity"

    def check_size(self) -> None:
        """Raise HttpRefusal for a URI or a body beyond the limits."""
        request = self.request
        query = urlencode(list(request.query.items()))
        if len(request.path) + 1 + len(query) > URI_BYTES_MAX:
            raise HttpRefusal(plain(414, "Request-URI Too Long"))
        if len(request.body) > BODY_BYTES_MAX:
            raise HttpRefusal(plain(413, "Request Entity Too Large"))

    def check_method(self) -> None:
        """Raise Refusal when the endpoint does not know the method."""
        if self.endpoint != UNKNOWN and self.method not in METHODS.get(self.endpoint, ONLY_GET):
            raise refusal("605", self.method)


def form_of(request: Request, headers: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a form body; empty for any other body."""
    if not headers.get("content-type", "").startswith(FORM_TYPE):
        return {}
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def read_call(request: Request, headers: Mapping[str, str]) -> Call:
    """The call that a request makes; an unknown path gives the endpoint `unknown`."""
    method, query = request.method, _joined(request)
    if method == "POST" and query.get("_method") == "GET":
        method = "GET"
        query = {name: value for name, value in query.items() if name != "_method"} | form_of(request, headers)
    endpoint = PATHS.get(request.path)
    if endpoint is not None:
        return Call(endpoint, method, query, headers, request)
    match = BULK_PATH.fullmatch(request.path)
    if match is None:
        return Call(UNKNOWN, method, query, headers, request)
    kind, verb = match["kind"], match["make"] or match["verb"] or "list"
    return Call(f"{kind}.export.{verb}", method, query, headers, request, kind, match["job"] or "")


def _joined(request: Request) -> dict[str, str]:
    """Query parameters; a repeated one is joined with commas, as Adobe's lists are written."""
    joined: dict[str, str] = {}
    for name, value in request.query.items():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
