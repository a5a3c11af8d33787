"""The header against what Marketo describes: which column feeds which field, and everything that is wrong with it.

Apart from the cells, because a wrong header makes every row fail and is known before a row is read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from syncengine.imports.findings import Finding
from syncengine.marketo.described import ObjectField
from syncengine.marketo.rows import LeadField

# Marketo sets these itself; describe calls some of them writable.
NEVER_WRITTEN = frozenset({"createdAt", "updatedAt", "marketoGUID"})
MAP_OR_LEAVE_OUT = "map it to a field, or leave it out, with --map"
AS_IT_STANDS = "write the heading as the file has it"
WHICH_IS_KEY = "say with --map which column has it"


@dataclass(frozen=True, slots=True)
class Column:
    """A field that is written: its REST name, Marketo's word for its type, its length in characters, its place in the
    source, and whether rows are told apart by it."""

    name: str
    data_type: str
    length: int | None
    place: int
    is_key: bool
    of_member: bool = False  # a program member's own field, not the lead's


@dataclass(frozen=True, slots=True)
class Writable:
    """A field that Marketo describes, and whether it can be written."""

    name: str
    data_type: str
    length: int | None
    is_writable: bool
    of_member: bool = False


def writable(field: LeadField | ObjectField, *, of_member: bool = False) -> Writable:
    """A described field, of whatever object."""
    can_be = not field.read_only if isinstance(field, LeadField) else field.updateable
    return Writable(field.name, field.data_type, field.length, can_be and field.name not in NEVER_WRITTEN, of_member)


def columns_of(
    header: Sequence[str], fields: Sequence[Writable], keys: Sequence[str], mapping: Mapping[str, str]
) -> tuple[tuple[Column, ...], tuple[Finding, ...]]:
    """The columns to write, and what is wrong; findings that stop the import leave columns of no use.

    `mapping` gives the field for a column by its heading; an empty field leaves the column out.
    """
    known = {field.name: field for field in fields}
    names = [mapping.get(heading, heading) for heading in header]
    left_out = {place for place, heading in enumerate(header) if mapping.get(heading) == ""}
    taken = [place for place in range(len(header)) if place not in left_out]
    findings = [
        Finding.stop("is named by --map and is not in the header", heading, _near(heading, header, AS_IT_STANDS))
        for heading in mapping
        if heading not in header
    ]
    findings += [finding for place in taken if (finding := _fault(names[place], place, known, keys))]
    for name, times in Counter(names[place] for place in taken).items():
        if times > 1 and name.strip():
            findings.append(Finding.stop(f"stands {times} times in the header", name, "leave out all but one"))
    for key in keys:
        if key not in {names[place] for place in taken}:
            near = _near(key, [header[place] for place in taken], WHICH_IS_KEY)
            findings.append(Finding.stop("is what rows are looked up by, and no column has it", key, near))
    if findings and _looks_like_data(header):
        findings.insert(
            0, Finding.stop("looks like a row and not like a header", header[0], "add a line of field names")
        )
    columns = [
        Column(field.name, field.data_type, field.length, place, is_key=field.name in keys, of_member=field.of_member)
        for place in taken
        if (field := known.get(names[place]))
    ]
    return tuple(columns), tuple(findings)


def _fault(name: str, place: int, known: Mapping[str, Writable], keys: Sequence[str]) -> Finding | None:
    """What is wrong with one heading."""
    if not name.strip():
        return Finding.stop(
            "has no name", f"column {place + 1}", 'name it, or leave it out with --map: "" = "" under [columns]'
        )
    if name != name.strip():
        return Finding.stop(
            "begins or ends with a blank", f"{name!r}", f"Marketo knows no such field; write {name.strip()!r}"
        )
    if name not in known:
        return Finding.stop("is no field that Marketo describes", name, _near(name, list(known)))
    if not known[name].is_writable and name not in keys:
        return Finding.stop("can only be read", name, "leave the column out")
    return None


def _near(name: str, names: Sequence[str], otherwise: str = MAP_OR_LEAVE_OUT) -> str:
    folded = {each.strip().casefold(): each for each in names}
    if name.strip().casefold() in folded:
        return f"did you mean {folded[name.strip().casefold()]!r}?"
    near = get_close_matches(name.strip().casefold().replace(" ", ""), list(folded), n=1, cutoff=0.7)
    return f"did you mean {folded[near[0]]!r}?" if near else otherwise


def _looks_like_data(header: Sequence[str]) -> bool:
    return any("@" in heading or heading.strip().replace(".", "").isdigit() for heading in header)
