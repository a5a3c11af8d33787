"""The envelope of every answer and the wording of every error; separate so that no other module spells JSON or codes.

Wording: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes and answers of real
instances that integrations quote.
"""

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any

import orjson

from syncengine.sandbox.messages import Response

JSON_HEADERS = {"Content-Type": "application/json;charset=UTF-8"}
TEXT_HEADERS = {"Content-Type": "text/plain;charset=UTF-8"}
HTML_HEADERS = {"Content-Type": "text/html;charset=UTF-8"}

# Adobe marks these with a star: counted neither against the day's quota nor against the rate limit.
UNCOUNTED_CODES = frozenset({"601", "602", "604", "605", "608", "611"})

MESSAGES = {
    "600": "Access token not specified",
    "601": "Access token invalid",
    "602": "Access token expired",
    "603": "Access denied",
    "604": "Request time-out",
    "605": "HTTP Method '{}' not supported",
    "606": "Max rate limit '{}' exceeded with in '{}' secs",
    "607": "Daily quota '{}' reached",
    "608": "API Temporarily Unavailable",
    "609": "Invalid JSON",
    "610": "Requested resource not found",
    "611": "System error",
    "612": "Invalid Content Type",
    "613": "Invalid Multipart Request",
    "615": "Concurrent access limit '{}' reached",
    "709": "Asset '{}' with id '{}' holds {}, which this call does not support",
    "713": "Transient Error",
    "702": "No data found",
    "704": "Invalid date format",
    "1001": "Invalid value '{}'. Required of type '{}'",
    "1002": "Missing value for the required parameter '{}'",
    "1004": "Lead not found",
    "1005": "Lead already exists",
    "1006": "Field '{}' not found",
    "1007": "Multiple leads match the lookup criteria",
    "1008": "Access denied to partition '{}'",
    "1011": "Field '{}' not supported",
    "1013": "Object not found",
    "1016": "Too many imports",
    "1017": "Object already exists",
    "1018": "CRM Enabled",
    "1019": "Import in progress",
    "1025": "Program status not found",
    "1035": "Unsupported filter type for target subscription",
    "1037": "Lead skipped because it is already in or past this status",
}


class Refusal(Exception):
    """Marketo's code and message for a call that is not carried out; raised where that is decided."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def refusal(code: str, *facts: object) -> Refusal:
    """The refusal with Marketo's wording for `code`."""
    return Refusal(code, MESSAGES[code].format(*facts))


def invalid(message: str) -> Refusal:
    """1003: the call's data is not valid for the endpoint."""
    return Refusal("1003", message)


def success(request_id: str, result: Sequence[Any] | Mapping[str, Any] | None, **more: Any) -> Response:
    """An envelope with a result; without the key when there is None, as asset endpoints and paging tokens answer."""
    body = {"requestId": request_id, **({} if result is None else {"result": result}), "success": True, **more}
    return Response(200, JSON_HEADERS, orjson.dumps(body))


def failure(request_id: str, code: str, message: str) -> Response:
    """An envelope with one error; errors of this level arrive as HTTP 200."""
    body = {"requestId": request_id, "success": False, "errors": [{"code": code, "message": message}]}
    return Response(200, JSON_HEADERS, orjson.dumps(body), code=code)


def json_reply(value: Any, status: int = 200, *, code: str = "") -> Response:
    """Bare JSON, as the identity endpoint and the control path answer."""
    return Response(status, JSON_HEADERS, orjson.dumps(value), code=code)


def plain(status: int, text: str) -> Response:
    """An HTTP-level error in plain text."""
    return Response(status, TEXT_HEADERS, text.encode(), code=str(status))


def page(status: int, text: str = "") -> Response:
    """An HTML page as gateways and maintenance windows give it; `text` replaces the usual one."""
    title = f"{status} {responses.get(status, 'Unknown Error')}"
    html = text or f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status, HTML_HEADERS, html.encode(), code=str(status) if status >= 400 else "")


class HttpRefusal(Exception):
    """An answer below Marketo's envelope, raised where it is decided."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response
