"""The one part of an import call's body, taken strictly: a mistake in how a client writes it must not go unseen.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-import
RFC 2046 says how parts are delimited, RFC 7578 what a part of a form says of itself.
"""

import re

from syncengine.sandbox.replies import Refusal, refusal

BOUNDARY = re.compile(r"""[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]""")
PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]+)\s*')


def _bad(why: str) -> Refusal:
    return Refusal("613", f"{refusal('613').message}: {why}")


def parameters_of(header: str) -> tuple[str, dict[str, str]]:
    """The value of a header in small letters, and its parameters; raises Refusal for one that is not well formed."""
    value, semicolon, rest = header.partition(";")
    found: dict[str, str] = {}
    text, place = semicolon + rest, 0
    while place < len(text):
        match = PARAMETER.match(text, place)
        if match is None or match[1].lower() in found:
            raise _bad("a header with bad parameters")
        given = match[2]
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given
        place = match.end()
    return value.strip().lower(), found


def file_part(content_type: str, body: bytes) -> bytes:
    """The content of the part `file`, the only one; raises Refusal (612, 613) for any other body."""
    kind, parameters = parameters_of(content_type)
    if kind != "multipart/form-data":
        raise refusal("612")
    boundary = parameters.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise _bad("no boundary")
    opening, delimiter = f"--{boundary}\r\n".encode(), f"\r\n--{boundary}".encode()
    if not body.startswith(opening):
        raise _bad("the body does not begin with the boundary")
    headers_end = body.find(b"\r\n\r\n", len(opening) - 2)
    end = body.find(delimiter, len(opening) - 2)
    if headers_end < 0 or end < 0 or end < headers_end + 2:
        raise _bad("a part without an end")
    rest = body[end + len(delimiter) :]
    if rest not in {b"--", b"--\r\n"}:
        raise _bad("one part and a closing boundary are expected")
    _check_headers(body[len(opening) : headers_end])
    return body[headers_end + 4 : end]


def _check_headers(block: bytes) -> None:
    headers: dict[str, str] = {}
    for line in block.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        key = name.decode("latin-1").lower()
        if not colon or key in headers or key != key.strip():
            raise _bad("a part with bad headers")
        headers[key] = value.decode("utf-8", "replace").strip()
    kind, parameters = parameters_of(headers.get("content-disposition", ""))
    if kind != "form-data" or parameters.get("name") != "file" or not parameters.get("filename"):
        raise _bad("the part is a form's file named 'file'")
