"""What one version of an asset costs and holds beyond its row: the calls for its parts, and what they answer.

A part that Marketo refuses for a reason of the asset's own (709: a page with social content, an email with predictive
content) is left out, and the file says so; nothing else is lost for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from syncengine.assets.crew import together
from syncengine.assets.documents import Document, Listed
from syncengine.assets.kind import Kind, Part, Subject
from syncengine.assets.kinds import DYNAMIC, HTML, KINDS
from syncengine.assets.lists import whole
from syncengine.errors import CallRejected
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import assets
from syncengine.marketo.limits import ASSET_V2_IDS_MAX
from syncengine.marketo.rows import text
from syncengine.transport.client import Client

ASSET_RULE = "709"
# Fields of an email that can be dynamic as its sections can.
HEADERS = ("subject", "fromName", "fromEmail", "replyEmail")


def parts_of(kind: Kind, subject: Subject) -> tuple[Part, ...]:
    """The parts that are asked for."""
    return tuple(each for each in kind.parts if each.when(subject))


def calls_for(kind: Kind, subjects: Sequence[Subject]) -> int:
    """How many calls the parts of these versions take, without dynamic content, of which only the content tells."""
    if kind.design is not None:
        return -(-len(subjects) // ASSET_V2_IDS_MAX)
    return sum(len(parts_of(kind, subject)) for subject in subjects)


async def fetched(client: Client, version: Listed, subject: Subject) -> Document:
    """A version with all its parts; raises what the client raises."""
    kind = KINDS[version.key.asset.kind]
    asked = parts_of(kind, subject)
    answers = await together([partial(_part, client, kind, each, version, subject) for each in asked])
    parts = {each.name: answer for each, answer in zip(asked, answers, strict=True)}
    unavailable = {name: answer.code for name, answer in parts.items() if isinstance(answer, CallRejected)}
    # What there is none of is left out: whether it was asked for may depend on what else was listed.
    parts = {name: answer for name, answer in parts.items() if name not in unavailable and answer not in (None, [])}
    if sections := list(dynamic_sections(kind, version.row, parts.get("content"))):
        parts["dynamicContent"] = await _dynamic(client, kind, sections, version, unavailable)
    return composed(kind, version, parts, unavailable)


def composed(
    kind: Kind, version: Listed, parts: Mapping[str, Any], unavailable: Mapping[str, str] | None = None
) -> Document:
    """A version of its parts; the HTML among them, or in one of them, becomes a file of its own."""
    kept = dict(parts)
    html = kept.pop(HTML, None)
    if kind.inline_html is not None:
        html = kind.inline_html(kept)
    return Document(version, kept, html, dict(unavailable or {}))


async def designs_fetched(client: Client, versions: Sequence[Listed]) -> list[Document]:
    """Up to 20 versions of one kind of the new designer; what has gone meanwhile is not among them."""
    kind = KINDS[versions[0].key.asset.kind]
    assert kind.design is not None
    rows = await client.send(assets.designs_in_full(kind.design, [str(each.key.asset.id) for each in versions]))
    found = {text(row.get("id")): row for row in rows}
    return [
        composed(kind, each, {"data": row.get("data")})
        for each in versions
        if (row := found.get(str(each.key.asset.id))) is not None
    ]


def dynamic_sections(kind: Kind, row: Mapping[str, Any], content: Any) -> Iterator[str]:
    """The ids under which dynamic sections are asked for, the subject's and the sender's among them, each once.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/dynamic-content
    """
    if not kind.dynamic:
        return
    sections = content if isinstance(content, list) else []
    if "{section}" not in kind.dynamic:
        if any(each.get("type") == DYNAMIC for each in sections):
            yield ""
        return
    stated = [row.get(name) for name in HEADERS]
    named = [each.get("value") for each in stated if isinstance(each, dict) and each.get("type") == DYNAMIC]
    for each in sections:
        if each.get("contentType") == DYNAMIC:
            named.append(each.get("value"))
        elif each.get("type") == DYNAMIC:
            inner = each.get("content")
            named.append(inner.get("content") if isinstance(inner, dict) else inner)
    yield from dict.fromkeys(text(name) for name in named if text(name))


async def _dynamic(
    client: Client, kind: Kind, sections: Sequence[str], version: Listed, unavailable: dict[str, str]
) -> dict[str, Any]:
    status = {"status": version.key.version}
    calls = [
        assets.part(f"{kind.name}.dynamicContent", kind.dynamic, status, id=version.key.asset.id, section=section)
        for section in sections
    ]
    answers = await together([partial(_answer, client, call) for call in calls])
    found = {}
    for section, answer in zip(sections, answers, strict=True):
        if isinstance(answer, CallRejected):
            unavailable[f"dynamicContent {section}".strip()] = answer.code
        else:
            found[section] = [dict(row) for row in answer]
    return found


async def _part(client: Client, kind: Kind, part: Part, version: Listed, subject: Subject) -> Any:
    """What a part holds, or the refusal of it."""
    query = {name: value.format(name=version.name) for name, value in part.query.items()}
    if part.takes_status and subject.version:
        query["status"] = subject.version
    name, identity = f"{kind.name}.{part.name}", version.key.asset.id
    if part.is_paged:
        path = part.path.format(id=identity)
        rows = await whole(
            client, lambda offset: assets.page(name, path, offset, query=query), lambda row: row.get("id")
        )
        return part.pick(rows.rows)
    answer = await _answer(client, assets.part(name, part.path, query, id=identity))
    return answer if isinstance(answer, CallRejected) else part.pick(answer)


async def _answer(client: Client, call: Call[assets.Rows]) -> assets.Rows | CallRejected:
    try:
        return await client.send(call)
    except CallRejected as error:
        if error.code != ASSET_RULE:
            raise
        return error
