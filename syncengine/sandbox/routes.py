"""Which endpoint a request means, and what it carries; separate so that the instance judges calls, not texts.

`POST` with `_method=GET` in the URL and a form body is a GET with those parameters, for queries above the URI limit:
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from syncengine.sandbox.asset_paths import ASSET_PATHS, POSTED
from syncengine.sandbox.messages import Request
from syncengine.sandbox.replies import HttpRefusal, plain, refusal

# Adobe says 8 KB, 1 MB and 10 MB; the decimal reading is the stricter one, and so is that of the whole body as a file.
URI_BYTES_MAX = 8_000
BODY_BYTES_MAX = 1_000_000
IMPORT_BYTES_MAX = 10_000_000

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

API_ROOTS = ("/identity/", "/rest/", "/bulk/")
BULK_ROOTS = {
    "leads": "/bulk/v1/leads/export",
    "activities": "/bulk/v1/activities/export",
    "program_members": "/bulk/v1/program/members/export",
    "custom_objects": "/bulk/v1/customobjects/{apiName}/export",
}
BULK_METHODS = {"list": "GET", "create": "POST", "enqueue": "POST", "cancel": "POST", "status": "GET", "file": "GET"}
BULK_TAILS = {"list": ".json", "create": "/create.json"}
# Every endpoint by its path, in Adobe's own spelling of the parts that vary.
PATHS = {
    "/identity/oauth/token": "identity",
    "/rest/v1/leads/describe.json": "describe",
    "/rest/v1/leads/describe2.json": "describe2",
    "/rest/v1/leads/partitions.json": "partitions",
    "/rest/v1/leads.json": "leads.query",
    "/rest/v1/activities/types.json": "activity_types",
    "/rest/v1/activities/pagingtoken.json": "activities.paging_token",
    "/rest/v1/activities.json": "activities.page",
    "/rest/v1/activities/leadchanges.json": "lead_changes.page",
    "/rest/v1/activities/deletedleads.json": "deleted_leads.page",
    "/rest/v1/activities/external/types.json": "activities.external_types",
    "/rest/v1/activities/external/type/{apiName}/describe.json": "activities.external_type",
    "/rest/v1/lists.json": "lists.list",
    "/rest/v1/lists/{listId}/leads.json": "lists.leads",
    "/rest/v1/list/{listId}/leads.json": "list.leads",
    "/rest/v1/campaigns.json": "campaigns.list",
    "/rest/asset/v1/programs.json": "programs.list",
    "/rest/asset/v1/program/{id}.json": "programs.get",
    "/rest/asset/v1/channel/byName.json": "channels.by_name",
    "/rest/v1/programs/members/describe.json": "program_members.describe",
    "/rest/v1/programs/{programId}/members.json": "program_members.query",
    "/rest/v1/programs/{programId}/members/status.json": "program_members.sync_status",
    "/rest/v1/companies.json": "companies.query",
    "/rest/v1/companies/describe.json": "companies.describe",
    "/rest/v1/salespersons.json": "salespersons.query",
    "/rest/v1/salespersons/describe.json": "salespersons.describe",
    "/rest/v1/opportunities.json": "opportunities.query",
    "/rest/v1/opportunities/describe.json": "opportunities.describe",
    "/rest/v1/opportunities/roles.json": "opportunity_roles.query",
    "/rest/v1/opportunities/roles/describe.json": "opportunity_roles.describe",
    "/rest/v1/namedaccounts.json": "named_accounts.query",
    "/rest/v1/namedaccounts/describe.json": "named_accounts.describe",
    "/rest/v1/namedAccountLists.json": "named_account_lists.query",
    "/rest/v1/namedAccountList/{id}/namedAccounts.json": "named_account_list_members.page",
    "/rest/v1/customobjects.json": "custom_objects.list",
    "/rest/v1/customobjects/schema.json": "custom_objects.schema",
    "/rest/v1/customobjects/schema/{apiName}/describe.json": "custom_objects.schema_describe",
    "/rest/v1/customobjects/{customObjectName}.json": "custom_objects.query",
    "/rest/v1/customobjects/{customObjectName}/describe.json": "custom_objects.describe",
    "/rest/v1/stats/usage.json": "usage",
    "/rest/v1/stats/usage/last7days.json": "usage_last7days",
}
PATHS |= {
    root + BULK_TAILS.get(verb, f"/{{exportId}}/{verb}.json"): f"{kind}.export.{verb}"
    for kind, root in BULK_ROOTS.items()
    for verb in BULK_METHODS
}
IMPORT_PATHS = {
    "leads": ("/bulk/v1/leads.json", "/bulk/v1/leads/batch/{batchId}"),
    "custom_objects": (
        "/bulk/v1/customobjects/{apiName}/import.json",
        "/bulk/v1/customobjects/{apiName}/import/{batchId}",
    ),
    "program_members": (
        "/bulk/v1/program/{programId}/members/import.json",
        "/bulk/v1/program/members/import/{batchId}",
    ),
}
IMPORT_VERBS = ("create", "status", "failures", "warnings")
for _kind, (_create, _batch) in IMPORT_PATHS.items():
    PATHS[_create] = f"{_kind}.import.create"
    PATHS[f"{_batch}.json" if _kind == "leads" else f"{_batch}/status.json"] = f"{_kind}.import.status"
    PATHS |= {f"{_batch}/{verb}.json": f"{_kind}.import.{verb}" for verb in ("failures", "warnings")}
# Endpoints that write at a path where another one reads.
WRITES = {
    "leads.query": "leads.sync",
    "custom_objects.query": "custom_objects.sync",
    "lists.leads": "lists.add",
}
METHODS = {
    "identity": frozenset({"GET", "POST"}),
    **{f"{kind}.export.{verb}": frozenset({how}) for kind in BULK_ROOTS for verb, how in BULK_METHODS.items()},
    **{f"{kind}.import.create": frozenset({"POST"}) for kind in IMPORT_PATHS},
    **{endpoint: frozenset({"POST"}) for endpoint in (*WRITES.values(), "program_members.sync_status", *POSTED)},
}
ONLY_GET = frozenset({"GET"})
TEMPLATES = tuple(
    (
        re.compile(
            "".join(
                f"(?P<{part[1:-1]}>[^/]+)" if part[:1] == "{" else re.escape(part)
                for part in re.split(r"(\{\w+\})", path)
            )
        ),
        endpoint,
    )
    for path, endpoint in (*PATHS.items(), *ASSET_PATHS.items())
    if "{" in path
)
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
    path: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def job_id(self) -> str:
        """The id of the export that the call is about."""
        return self.path.get("exportId", "")

    @property
    def is_json(self) -> bool:
        """The body says that it is JSON."""
        return self.headers.get("content-type", "").startswith(JSON_TYPE)

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
        if len(request.body) > body_bytes_max(request.method, request.path):
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
    endpoint, path = _found(request.path)
    if method == "POST" and endpoint in WRITES:
        endpoint = WRITES[endpoint]
    kind, is_export, _ = endpoint.partition(".export.")
    return Call(endpoint, method, query, headers, request, kind if is_export else "", path)


def body_bytes_max(method: str, path: str) -> int:
    """How long the body of a call may be."""
    return IMPORT_BYTES_MAX if method == "POST" and _found(path)[0].endswith(".import.create") else BODY_BYTES_MAX


def _found(path: str) -> tuple[str, dict[str, str]]:
    """The endpoint of a path, and the parts of it that vary."""
    endpoint = PATHS.get(path) or ASSET_PATHS.get(path, "")
    if endpoint and "{" not in path:
        return endpoint, {}
    for template, name in TEMPLATES:
        match = template.fullmatch(path)
        if match is not None:
            return name, match.groupdict()
    return UNKNOWN, {}


def _joined(request: Request) -> dict[str, str]:
    """Query parameters; a repeated one is joined with commas, as Adobe's lists are written."""
    joined: dict[str, str] = {}
    for name, value in request.query.items():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
