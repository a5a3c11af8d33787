"""Bulk import: a file is sent, its batch is watched, and its failures and warnings are fetched; one queue for all.

Imports cannot be listed: a batchId is only in the answer to the file, and a lost answer is a lost batchId.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import
"""

from dataclasses import dataclass
from typing import Final

from syncengine.marketo.call import Call, Repeat, Upload
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ImportBatch, api_name_in_path, batch_id, import_batch

FORMAT: Final = "csv"


@dataclass(frozen=True, slots=True)
class LeadImport:
    """Leads, found by `lookup_field` and made where there are none; with "id" only updated.

    They become members of the list `list_id` too; `partition` is the name of the one that they are made in.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-lead-import
    """

    lookup_field: str = "email"
    list_id: int | None = None
    partition: str = ""


@dataclass(frozen=True, slots=True)
class CustomObjectImport:
    """Records of one custom object, found by its dedupe fields.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-custom-object-import
    """

    api_name: str


@dataclass(frozen=True, slots=True)
class ProgramMemberImport:
    """Leads, found by email, that become members of a program with a status of its channel.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-program-member-import
    """

    program_id: int
    status: str


ImportTarget = LeadImport | CustomObjectImport | ProgramMemberImport


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the calls about one kind of import go; `batch` and `status_end` surround a batchId."""

    name: str
    create: str
    batch: str
    status_end: str
    permission: str


def create(target: ImportTarget, upload: Upload) -> Call[ImportBatch]:
    """A file given to Marketo as a form with the part `file` (see `multipart`), and the batch that it became.

    A second one makes a second batch, and two that run at once make duplicates: only a proven refusal is repeated.
    Malformed for an API name, ValueError for another value, that Marketo could read as something else than was meant.
    """
    kind = paths(target)
    return Call(
        name=f"{kind.name}.import.create",
        method="POST",
        path=kind.create,
        decode=one_batch,
        query={"format": FORMAT} | options(target),
        upload=upload,
        repeat=Repeat.UNSAFE,
        permission=kind.permission,
    )


def status(target: ImportTarget, batch: int) -> Call[ImportBatch]:
    """One batch; Adobe asks to look every 5 to 30 seconds. It is known for 7 days."""
    kind = paths(target)
    number = batch_id(batch)

    def decode(reply: Reply) -> ImportBatch:
        found = one_batch(reply)
        if found.batch_id != number:
            raise Malformed("the status is another batch's")
        return found

    return Call(
        name=f"{kind.name}.import.status",
        method="GET",
        path=f"{kind.batch}/{number}{kind.status_end}",
        decode=decode,
        permission=kind.permission,
    )


def failures(target: ImportTarget, batch: int) -> Call[object]:
    """The file of rows that failed, each with its reason as a last column; where there is none, Marketo answers 404.

    Kept for 7 days. Its body is streamed, never decoded.
    """
    return file_call(target, batch, "failures")


def warnings(target: ImportTarget, batch: int) -> Call[object]:
    """The file of rows that were imported with a warning, each with its reason; otherwise like `failures`."""
    return file_call(target, batch, "warnings")


def file_call(target: ImportTarget, batch: int, what: str) -> Call[object]:
    """A call for a file about one batch."""
    kind = paths(target)
    return Call(
        name=f"{kind.name}.import.{what}",
        method="GET",
        path=f"{kind.batch}/{batch_id(batch)}/{what}.json",
        decode=nothing,
        permission=kind.permission,
    )


def paths(target: ImportTarget) -> Paths:
    """The paths of a target; Malformed or ValueError for what could lead out of them."""
    match target:
        case LeadImport():
            return Paths("leads", "/bulk/v1/leads.json", "/bulk/v1/leads/batch", ".json", "Read-Write Lead")
        case CustomObjectImport(api_name):
            root = f"/bulk/v1/customobjects/{api_name_in_path(api_name)}/import"
            return Paths(f"custom_object_{api_name}", f"{root}.json", root, "/status.json", "Read-Write Custom Object")
        case ProgramMemberImport(program_id):
            return Paths(
                "program_members",
                f"/bulk/v1/program/{positive(program_id, 'program id')}/members/import.json",
                "/bulk/v1/program/members/import",
                "/status.json",
                "Read-Write Lead",
            )


def options(target: ImportTarget) -> dict[str, str]:
    """What a target adds to the query of its create call."""
    match target:
        case LeadImport(lookup_field, list_id, partition):
            chosen = {"lookupField": filled(lookup_field, "lookup field")}
            if list_id is not None:
                chosen["listId"] = str(positive(list_id, "list id"))
            return chosen | ({"partitionName": partition} if partition else {})
        case CustomObjectImport():
            return {}
        case ProgramMemberImport(status=member_status):
            return {"programMemberStatus": filled(member_status, "status")}


def positive(number: int, what: str) -> int:
    """A number above 0, or ValueError."""
    if int(number) < 1:
        raise ValueError(f"a {what} is a number above 0, not {number}")
    return int(number)


def filled(value: str, what: str) -> str:
    """A text that is not blank, or ValueError: Marketo would take its default for it."""
    if not value.strip():
        raise ValueError(f"an import needs a {what}")
    return value


def one_batch(reply: Reply) -> ImportBatch:
    """The one batch that an answer is about."""
    if len(reply.result) != 1:
        raise Malformed(f"an answer about an import holds {len(reply.result)} batches")
    return import_batch(reply.result[0])


def nothing(_: Reply) -> None:
    """For answers that are not read here."""
