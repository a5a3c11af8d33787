"""What must lie in a folder of assets, by the sandbox's truth: each version of each asset, in one file, in its place.

Written down apart from the engine's own table of kinds, from what the truth gives for each kind.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from syncengine.assets.kinds import VOLATILE

Key = tuple[str, int | str, str]
Row = dict[str, Any]
Part = Mapping[str, Any]

MARKER = ".syncengine-assets.json"
DESIGNS = ("email_v2", "email_template_v2", "fragment")
NOWHERE = "_instance"
PLAIN = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
# What follows from the places and names of folders, which are theirs to say.
OF_FOLDERS = {"path", "folderId"}
# What designs repeat of their program, which may be left out or not.
OF_PROGRAMS = {"programName", "programType"}
SHOWN = {"tag_type": "tagType", "landing_page_domain": "hostname", "redirect_rule": "redirectFromUrl"}


def problems(truth: Iterable[Row], folder: Path, *, kinds: tuple[str, ...] = ()) -> list[str]:
    """Everything in a folder that is not as the truth has it; only of some kinds, where these are named."""
    entries = list(truth)
    free_form = free_form_templates(entries)
    wanted = {
        key: each for entry in entries for key, each in documents(entry, free_form) if not kinds or key[0] in kinds
    }
    paths: dict[Key, PurePosixPath] = {}
    found: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        relative = PurePosixPath(path.relative_to(folder))
        if path.suffix != ".json" or path.name == MARKER:
            if path.name != MARKER and not path.with_suffix(".json").exists():
                found.append(f"{relative} lies there alone")
            continue
        read = orjson.loads(path.read_bytes())
        key = (read["kind"], read["id"], read["version"])
        if key in paths:
            found.append(f"{key} lies in {paths[key]} and in {relative}")
        paths[key] = relative
        if key not in wanted:
            found.append(f"{relative} is too much")
        else:
            found += [f"{relative}: other {name}" for name in _differences(read, path, wanted.pop(key))]
    found += [f"{key} is missing" for key in wanted]
    return found + list(_wrong_places(entries, paths))


def htmls(truth: Iterable[Row]) -> set[bytes]:
    """All documents that there are, of whatever asset."""
    found: set[str] = set()
    for version in (version for entry in truth for version in entry["versions"]):
        said = version["content"].get("content") or []
        detail = version["content"].get("detail") or [{}]
        found |= {each["content"] for each in said if isinstance(each.get("content"), str)}
        found |= {version["html"] or "", detail[0].get("data", {}).get("html", {}).get("body", "")}
    return {text.encode("utf-8", "surrogatepass") for text in found}


def free_form_templates(entries: Sequence[Row]) -> set[int]:
    """The ids of templates whose pages have no variables."""
    rows = [each["versions"][0]["row"] for each in entries if each["kind"] == "landing-page-template"]
    return {row["id"] for row in rows if row["templateType"] == "freeForm"}


def documents(entry: Part, free_form: Container[int]) -> Iterator[tuple[Key, Row]]:
    """What the files of an asset's versions have to hold, `html` as text."""
    kind = entry["kind"].replace("-", "_")
    versions = {version["version"]: version for version in entry["versions"]}
    shown = versions[min(versions)]
    for listed_as, version in versions.items():
        row = version["row"]
        status = "draft" if row.get("status") == "draft" else "approved"
        name = status if kind in (*DESIGNS, "segmentation") else listed_as
        held, html = PARTS[kind](version, shown) if kind in PARTS else ({}, None)
        if kind == "landing_page" and row["template"] not in free_form:
            held = {**held, "variables": version["content"].get("variables")}
        # What there is none of is left out.
        held = {name: part for name, part in held.items() if part not in (None, [])}
        unavailable = {"content": "709"} if version["content"].get("content", ()) is None else {}
        wanted: Row = {
            "kind": kind,
            "id": entry["id"],
            "name": row[SHOWN.get(kind, "name")],
            "version": name,
            "asset": steady(kind, row),
            "content": held,
        }
        wanted |= {"unavailable": unavailable} if unavailable else {}
        yield (kind, entry["id"], name), wanted | {"html": html}


def steady(kind: str, row: Part) -> Row:
    """A row without what is not the asset's own."""
    kept = {name: value for name, value in row.items() if name not in VOLATILE}
    if kind == "folder":
        kept = {name: value for name, value in kept.items() if name not in OF_FOLDERS}
    for name in ("folder", "parent"):
        if isinstance(kept.get(name), dict):
            kept[name] = {key: value for key, value in kept[name].items() if key not in {"folderName", "name"}}
    if isinstance(kept.get("appData"), dict):
        kept["appData"] = {name: value for name, value in kept["appData"].items() if name not in OF_PROGRAMS}
    return kept


def _differences(read: Row, path: Path, wanted: Row) -> Iterator[str]:
    html = wanted.pop("html")
    announced = read.pop("html", None)
    beside = path.with_suffix(".html")
    if read.pop("format") != 1:
        yield "format"
    read.pop("sha256")
    read["asset"] = steady("", read["asset"])
    for name in sorted(read.keys() | wanted.keys()):
        if read.get(name) != wanted.get(name):
            yield name
    if (announced is not None, beside.exists()) != (html is not None, html is not None):
        yield "html"
    elif html is not None:
        body = html.encode("utf-8", "surrogatepass")
        if beside.read_bytes() != body or announced != {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}:
            yield "html"


def _wrong_places(entries: Sequence[Row], paths: Mapping[Key, PurePosixPath]) -> Iterator[str]:
    """Assets of one home that lie in different folders, others that share one, and plain names that are not kept."""
    holding = [each for each in entries if each["kind"] in {"folder", "program"}]
    containers = {(each["kind"].capitalize(), each["id"]): each for each in holding}
    beside = Counter(map(_sibling, holding))
    homes: dict[Any, tuple[PurePosixPath, str]] = {}
    for entry in entries:
        kind = entry["kind"].replace("-", "_")
        lying = {paths[key].parent for key, _ in documents(entry, ()) if key in paths}
        if not lying:
            continue
        home = (entry["folder"]["type"], entry["folder"]["id"]) if entry["folder"] else None
        top = home is None and kind != "folder"
        (place,) = lying if len(lying) == 1 else (PurePosixPath("apart"),)
        if home is not None and home not in containers:
            continue
        known, _ = homes.setdefault("top" if home is None and not top else home, (place, entry["name"]))
        if known != place:
            yield f"{kind} {entry['id']} lies in {place} and its neighbour in {known}"
        plain = _plain(home, containers, beside) if home is not None else NOWHERE if top else ""
        if plain is not None and str(place) != (plain or "."):
            yield f"{kind} {entry['id']} lies in {place}, not in {plain}"
    places = [place for place, _ in homes.values()]
    if len(set(places)) != len(places):
        yield "two folders share one place"


def _sibling(entry: Row) -> tuple[object, str]:
    """What folders have in common that need to be told apart."""
    home = entry["folder"]
    return (home["type"], home["id"]) if home else None, entry["name"].casefold()


def _plain(
    home: tuple[str, int], containers: Mapping[tuple[str, int], Row], beside: Counter[tuple[object, str]]
) -> str | None:
    """The path of a folder whose own name and those above it need no care; None for others."""
    names: list[str] = []
    at: tuple[str, int] | None = home
    while at is not None:
        here = containers[at]
        if not PLAIN.fullmatch(here["name"]) or len(here["name"]) > 60 or here["name"].upper() == "CON":
            return None
        if beside[_sibling(here)] > 1:
            return None
        names.insert(0, here["name"])
        at = (here["folder"]["type"], here["folder"]["id"]) if here["folder"] else None
    return "/".join(names)


Held = tuple[Row, str | None]


def _tokens(version: Part, _shown: Part) -> Held:
    return {"tokens": [token for one in version["content"].get("tokens", ()) for token in one["tokens"]]}, None


def _program(version: Part, shown: Part) -> Held:
    detail = version["content"]["detail"][0]
    held, _ = _tokens(version, shown)
    rules = _rules(version, shown)[0] if version["row"]["type"] == "Email" else {}
    return {"detail": {"tags": detail["tags"], "costs": detail["costs"]}} | held | rules, None


def _rules(version: Part, _shown: Part) -> Held:
    found = version["content"]["rules"][0]
    return {"smartList": {"id": found["id"], "rules": found["rules"]}}, None


def _tag_type(version: Part, _shown: Part) -> Held:
    # One with a comma in its name cannot be asked for.
    return {"detail": version["content"]["detail"][0]} if "detail" in version["content"] else {}, None


def _email(version: Part, shown: Part) -> Held:
    said, held = version["content"], dict[str, Any]()
    if said["content"] is not None:
        held["content"] = said["content"]
    if version["row"]["version"] != 1 and version is shown:
        held["variables"] = version["content"].get("variables")
    named = [each["value"] for each in version["row"].values() if _is_dynamic(each)]
    dynamic = said.get("dynamicContent", {})
    if kept := {name: rows for name, rows in dynamic.items() if name in named or said["content"] is not None}:
        held["dynamicContent"] = kept
    return held, version["html"]


def _is_dynamic(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") == "DynamicContent"


def _page(version: Part, shown: Part) -> Held:
    said, held = version["content"], dict[str, Any]()
    if said["content"] is not None:
        held["content"] = said["content"]
        if dynamic := shown["content"].get("dynamicContent"):
            held["dynamicContent"] = dynamic
    return held, version["html"]


def _template(version: Part, _shown: Part) -> Held:
    return {}, version["content"]["content"][0]["content"]


def _form(version: Part, _shown: Part) -> Held:
    return {"fields": version["content"]["fields"]}, None


def _snippet(version: Part, _shown: Part) -> Held:
    sections = version["content"]["content"]
    htmls = [each["content"] for each in sections if each["type"] == "HTML"]
    dynamic = version["content"].get("dynamicContent")
    held = {"content": [each for each in sections if each["type"] != "HTML"]}
    return held | ({"dynamicContent": {"": dynamic}} if dynamic else {}), htmls[0] if htmls else None


def _segmentation(version: Part, _shown: Part) -> Held:
    return {"segments": version["content"]["segments"]}, None


def _design(version: Part, _shown: Part) -> Held:
    data = version["content"]["detail"][0]["data"]
    return {"data": {**data, "html": {}}}, data["html"]["body"]


PARTS = {
    "folder": _tokens,
    "program": _program,
    "tag_type": _tag_type,
    "email": _email,
    "email_template": _template,
    "landing_page": _page,
    "landing_page_template": _template,
    "form": _form,
    "snippet": _snippet,
    "smart_campaign": _rules,
    "smart_list": _rules,
    "segmentation": _segmentation,
    **dict.fromkeys(DESIGNS, _design),
}
