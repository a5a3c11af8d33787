"""Bytes to an answer: the rows that Marketo gives, or its refusal with the verdict of the error table.

Apart from the wire, so that every odd body ever seen is a line in a test. Theory of operation:

Marketo answers nearly everything with HTTP 200 and tells success or failure inside the JSON envelope, so a status alone
proves nothing and a client that takes any 200 for data loses rows silently. What is not Marketo's envelope comes from
something in front of it. The order of evidence is therefore:

1. A status outside 2xx decides. Only within 4xx may the body name a more exact code, and only one that the table knows.
2. A 2xx page of HTML, an empty or cut body, JSON that is no object, or an object without `success` is a fault on the
   way (`2XX_NOT_JSON`): it is never "no rows", and after a create it leaves the outcome open.
3. `errors` with an entry refuse, whatever `success` says. Of several the most severe verdict wins, and one that leaves
   a create open makes the whole refusal do so.
4. `success: true` gives rows; none are named when `result` is missing, which is how Marketo says "nothing found".

Identity answers have no envelope: their object is the reply's `body`. Data Ingestion has one only for refusals.
Pages: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from syncengine.marketo.codes import CodeEntry, Level, Verdict, lookup

MESSAGE_CHARACTERS_MAX = 300
NOT_MARKETO = "2XX_NOT_JSON"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Where two errors disagree, the one that asks for more care is obeyed.
SEVERITY = (
    Verdict.FATAL,
    Verdict.PAUSE,
    Verdict.SPLIT,
    Verdict.FALLBACK,
    Verdict.REFRESH,
    Verdict.RETRY,
    Verdict.SKIP_RECORD,
    Verdict.NOOP,
)


class Malformed(ValueError):
    """A good reply lacks what its endpoint promises; raised by decoders, to be treated like a gateway's fault."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What Marketo gave. Rows and body stay out of `repr`: they hold people's data and tokens.

    `more_result` is None where the endpoint does not send it. `body` holds the object of an answer without envelope.
    """

    request_id: str = ""
    result: tuple[Any, ...] = field(default=(), repr=False)
    next_page_token: str | None = field(default=None, repr=False)
    more_result: bool | None = None
    warnings: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no result; `code` and `message` are as Marketo sent them, `entry` says what follows."""

    level: Level
    code: str
    message: str
    request_id: str
    entry: CodeEntry

    def as_empty(self) -> Reply:
        """The reply that a verdict of NOOP stands for: done, and nothing to show."""
        return Reply(request_id=self.request_id, warnings=(self.message,))


def read(status: int, content_type: str, body: bytes) -> Reply | Refusal:
    """What a whole answer says; for any bytes at all, without raising."""
    if not 200 <= status < 300:
        return refused_by_status(status, body)
    if "html" in content_type.lower():
        return not_marketo(f"HTTP {status} with a page of HTML")
    answer = json_object(body)
    if answer is None:
        return not_marketo(f"HTTP {status} with {'no JSON object' if body.strip() else 'an empty body'}")
    if "access_token" in answer:
        return Reply(body=answer)
    return opened(answer)


def read_accepted(status: int, request_id: str, body: bytes) -> Reply | Refusal:
    """What the Data Ingestion API says: 202 without a body is its whole success, and a header names the request.

    Without that header it is someone else's 202.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
    """
    named = clean(request_id)
    if status == 202 and not body and named:
        return Reply(request_id=named)
    if 200 <= status < 300:
        return not_marketo(f"HTTP {status} is not the answer of Data Ingestion", named)
    refusal = refused_by_status(status, body)
    return replace(refusal, request_id=refusal.request_id or named)


def opened(envelope: Mapping[str, Any]) -> Reply | Refusal:
    """What an envelope holds: errors, rows, or neither."""
    request_id = request_id_in(envelope)
    if errors := errors_in(envelope):
        return most_severe(errors, request_id)
    if envelope.get("success") is False:
        return not_marketo("failure stated without a reason", request_id)
    if envelope.get("success") is not True:
        return not_marketo("neither success nor failure stated", request_id)
    return accepted(envelope)


def refused_by_status(status: int, body: bytes) -> Refusal:
    """A refusal by HTTP status; within 4xx the body may name a code that says more."""
    answer = (json_object(body) if 400 <= status < 500 else None) or {}
    request_id = request_id_in(answer)
    known = [each for each in errors_in(answer) if not each.entry.code.endswith("UNKNOWN")]
    if known:
        return most_severe(known, request_id)
    # The Data Ingestion API has an envelope of its own; identity answers with OAuth's.
    # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
    gateway = lookup("http", code_text(answer.get("error_code")))
    said = clean(answer.get("message") or answer.get("error_description") or answer.get("error"))
    if gateway.code != "UNKNOWN":
        return Refusal("http", gateway.code, said or gateway.message, request_id, gateway)
    entry = lookup("http", str(status))
    return Refusal("http", str(status), said or entry.message, request_id, entry)


def not_marketo(message: str, request_id: str = "") -> Refusal:
    """The refusal that stands for an answer which is not Marketo's."""
    return Refusal("http", NOT_MARKETO, message, request_id, lookup("http", NOT_MARKETO))


def accepted(envelope: Mapping[str, Any]) -> Reply | Refusal:
    """The reply in an envelope that states success."""
    rows = envelope.get("result")
    if isinstance(rows, Mapping):
        rows = [rows]
    if not isinstance(rows, list | None):
        return not_marketo("success with a result that is no list", request_id_in(envelope))
    token, more = envelope.get("nextPageToken"), envelope.get("moreResult")
    return Reply(
        request_id=request_id_in(envelope),
        result=tuple(rows or ()),
        next_page_token=token if isinstance(token, str) and token else None,
        more_result=more if isinstance(more, bool) else None,
        warnings=warnings_in(envelope),
    )


def most_severe(errors: list[Refusal], request_id: str) -> Refusal:
    """One refusal for all: the most severe verdict, billed and open if any of them is."""
    worst = min(errors, key=lambda each: SEVERITY.index(each.entry.verdict))
    entry = replace(
        worst.entry,
        billed=any(each.entry.billed for each in errors),
        unsafe_on_create=any(each.entry.unsafe_on_create for each in errors),
    )
    return replace(worst, request_id=request_id, entry=entry)


def errors_in(answer: Mapping[str, Any]) -> list[Refusal]:
    """The entries of `errors`, each as a refusal; entries that are no objects count as errors without a code."""
    listed = answer.get("errors")
    entries = listed if isinstance(listed, list) else [listed] if listed else []
    return [error(each if isinstance(each, Mapping) else {"message": each}) for each in entries]


def error(stated: Mapping[str, Any]) -> Refusal:
    """One entry of `errors`."""
    code, message = code_text(stated.get("code")), clean(stated.get("message"))
    entry = lookup("response", code, message) if code else lookup("http", NOT_MARKETO)
    return Refusal(entry.level, code or NOT_MARKETO, message or entry.message, "", entry)


def json_object(body: bytes) -> Mapping[str, Any] | None:
    """The body as a JSON object, or None when it is anything else."""
    try:
        parsed = orjson.loads(body.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def request_id_in(answer: Mapping[str, Any]) -> str:
    """Marketo's id of the request, which its support asks for."""
    stated = answer.get("requestId")
    return clean(stated) if isinstance(stated, str) else ""


def warnings_in(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of `warnings`, which come as strings or as objects with a message."""
    listed = answer.get("warnings")
    entries = listed if isinstance(listed, list) else [listed] if listed else []
    texts = (clean(each.get("message") if isinstance(each, Mapping) else each) for each in entries)
    return tuple(text for text in texts if text)


def code_text(stated: object) -> str:
    """A code as text, whether it was sent quoted or as a number."""
    if isinstance(stated, str | int) and not isinstance(stated, bool):
        return clean(str(stated))
    return ""


def clean(stated: object) -> str:
    """Text fit for one line of a log or terminal: no control characters, one blank between words, cut to a length."""
    if not isinstance(stated, str):
        return ""
    printable = "".join(letter if letter.isprintable() else " " for letter in stated[: 4 * MESSAGE_CHARACTERS_MAX])
    return " ".join(printable.split())[:MESSAGE_CHARACTERS_MAX]
