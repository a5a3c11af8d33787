"""A call's HTTP form."""

from urllib.parse import urlencode

import orjson

from syncengine.errors import TooLarge
from syncengine.marketo.call import Api, Call
from syncengine.marketo.limits import BODY_BYTES_MAX, IMPORT_FILE_BYTES_MAX, URI_BYTES_MAX
from syncengine.transport.upload import Outgoing
from syncengine.transport.wire import WireRequest


def as_request(call: Call[object], token: str, headers: dict[str, str]) -> WireRequest:
    """The HTTP form of one try of a call; TooLarge when Marketo takes no such body.

    A URI over Marketo's 8 KB travels as a POST with `_method=GET` and a form body.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api
    """
    method, query, form = call.method, urlencode(call.query), call.form
    target = f"{call.path}?{query}" if query else call.path
    if method == "GET" and len(target) > URI_BYTES_MAX:
        method, target, form = "POST", f"{call.path}?_method=GET", dict(call.query)
    body, sent = None, {**call.headers, **headers}
    upload = Outgoing(call.upload) if call.upload is not None else None
    if upload is not None:
        sent["Content-Type"] = upload.content_type
    elif form is not None:
        body, sent["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
    elif call.json is not None:
        body, sent["Content-Type"] = orjson.dumps(call.json), "application/json"
    size, most = (upload.size, IMPORT_FILE_BYTES_MAX) if upload is not None else (len(body or b""), BODY_BYTES_MAX)
    if size > most:
        raise TooLarge(f"{call.name} has a body of {size} bytes; Marketo takes {most}.", call=call.name)
    if token and call.api is Api.INGESTION:
        sent["X-Mkto-User-Token"] = token
    elif token:
        sent["Authorization"] = f"Bearer {token}"
    return WireRequest(method, target, sent, body, upload)


def is_unfinished(request: WireRequest) -> bool:
    """Whether the server cannot have seen the whole of a request that is under way."""
    return request.upload is not None and not request.upload.is_whole
