"""The objects of the lead database that answer in one way: described, and found by the values of a field.

None of them can be listed: a call names the values it looks for. Named accounts and their lists are no exception.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.described import CustomObject, Described, custom_object_type, described
from syncengine.marketo.limits import FILTER_VALUES_MAX, PAGE_ROWS_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, while_token
from syncengine.marketo.records import RecordResult, record_results, sync_input
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import api_name_in_path, guid_in_path


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """One kind of object: `name` begins the names of its calls, `path` their paths.

    `permission` is the least that the API user's role needs.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/custom-services
    """

    name: str
    path: str
    permission: str


COMPANIES: Final = ObjectKind("companies", "/rest/v1/companies", "Read-Only Company")
OPPORTUNITIES: Final = ObjectKind("opportunities", "/rest/v1/opportunities", "Read-Only Opportunity")
OPPORTUNITY_ROLES: Final = ObjectKind("opportunity_roles", "/rest/v1/opportunities/roles", "Read-Only Opportunity")
SALESPERSONS: Final = ObjectKind("salespersons", "/rest/v1/salespersons", "Read-Only Sales Person")
NAMED_ACCOUNTS: Final = ObjectKind("named_accounts", "/rest/v1/namedaccounts", "Read-Only Named Account")
PROGRAM_MEMBERS: Final = ObjectKind("program_members", "/rest/v1/programs/members", "Read-Only Lead")


def custom_object(api_name: str) -> ObjectKind:
    """The kind of one custom object; Malformed when its API name could lead out of the path."""
    name = api_name_in_path(api_name)
    return ObjectKind(f"custom_object_{name}", f"/rest/v1/customobjects/{name}", "Read-Only Custom Object")


def describe(kind: ObjectKind) -> Call[Described]:
    """Keys, searchable fields and fields of a kind.

    Where a CRM sync owns opportunity roles, Marketo refuses with code 1018.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/opportunity-roles
    """
    return Call(
        name=f"{kind.name}.describe",
        method="GET",
        path=f"{kind.path}/describe.json",
        decode=decode,
        permission=kind.permission,
    )


def by_key(
    kind: ObjectKind, filter_type: str, values: Sequence[object], fields: Sequence[str] = (), following: str = ""
) -> Call[Page]:
    """A page of the objects whose field `filter_type` has one of 1 to 300 values.

    `filter_type` is one field of `searchable_fields`, or the alias `idField` or `dedupeFields` where that is one field;
    `by_compound_key` is for more. Without `fields` Marketo gives
    keys and dates only; a field that was asked for and is not in a row is null. A URI over 8 KB travels as a form.

    ValueError for no or too many values, for one that is empty or holds a comma, and for program members, which can
    only be asked for program by program: export them.
    """
    if kind == PROGRAM_MEMBERS:
        raise ValueError("program members are exported, not looked up")
    chosen = {"fields": comma_separated(fields, "fields")} if fields else {}
    return Call(
        name=f"{kind.name}.by_key",
        method="GET",
        path=f"{kind.path}.json",
        decode=while_token,
        query=filtered(filter_type, values) | chosen | page_query(following),
        permission=kind.permission,
    )


def by_compound_key(
    kind: ObjectKind, keys: Sequence[Mapping[str, object]], fields: Sequence[str] = (), following: str = ""
) -> Call[Page]:
    """A page of the objects with one of 1 to 300 keys, each of which names all of the kind's dedupe fields.

    Values may hold commas, so that a key of one field can be asked for in this way too. ValueError for no or too many
    keys, and for keys that name different fields.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/custom-objects
    """
    if len({frozenset(key) for key in keys}) > 1:
        raise ValueError("keys of one call name the same fields")
    body: dict[str, Any] = {"filterType": "dedupeFields", "input": sync_input(keys), "batchSize": PAGE_ROWS_MAX}
    if fields:
        body["fields"] = list(fields)
    if following:
        body["nextPageToken"] = following
    return Call(
        name=f"{kind.name}.by_key",
        method="POST",
        path=f"{kind.path}.json",
        decode=while_token,
        query={"_method": "GET"},
        json=body,
        permission=kind.permission,
    )


def sync_custom_objects(
    api_name: str,
    rows: Sequence[Mapping[str, object]],
    *,
    action: Literal["createOrUpdate", "createOnly", "updateOnly"] = "createOrUpdate",
    dedupe_by: Literal["dedupeFields", "idField"] = "dedupeFields",
) -> Call[list[RecordResult]]:
    """Up to 300 records of one custom object created or updated, and what became of each.

    Only an update is safe to repeat. ValueError for no or too many rows, and for `idField`, which means marketoGUID,
    with an action that creates; Malformed when the API name could lead out of the path.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/custom-objects
    """
    if dedupe_by == "idField" and action != "updateOnly":
        raise ValueError("records found by their marketoGUID are only updated")
    kind = custom_object(api_name)
    return Call(
        name=f"{kind.name}.sync",
        method="POST",
        path=f"{kind.path}.json",
        decode=record_results,
        json={"action": action, "dedupeBy": dedupe_by, "input": sync_input(rows)},
        repeat=Repeat.SAFE if action == "updateOnly" else Repeat.UNSAFE,
        permission="Read-Write Custom Object",
    )


def custom_objects() -> Call[tuple[CustomObject, ...]]:
    """All custom objects of the instance, with their keys and relationships, in one answer; it may have none.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/custom-objects
    """
    return Call(
        name="custom_objects.list",
        method="GET",
        path="/rest/v1/customobjects.json",
        decode=custom_object_types,
        permission="Read-Only Custom Object",
    )


def named_account_lists(
    filter_type: Literal["idField", "dedupeFields"], values: Sequence[str], following: str = ""
) -> Call[Page]:
    """A page of the named account lists with these marketoGUIDs (`idField`) or names (`dedupeFields`), 1 to 300.

    Rows are those of NAMED_ACCOUNT_LIST_COLUMNS. Marketo does not list them without values.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/named-account-lists
    """
    return Call(
        name="named_account_lists.by_key",
        method="GET",
        path="/rest/v1/namedAccountLists.json",
        decode=while_token,
        query=filtered(filter_type, values) | page_query(following),
        permission="Read-Only Named Account List",
    )


def accounts_of_list(list_guid: str, fields: Sequence[str] = (), following: str = "") -> Call[Page]:
    """A page of the named accounts in one list; without `fields` marketoGUID, name and dates.

    Malformed when the list's marketoGUID could lead out of the path.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/named-account-lists
    """
    chosen = {"fields": comma_separated(fields, "fields")} if fields else {}
    return Call(
        name="named_account_lists.accounts",
        method="GET",
        path=f"/rest/v1/namedAccountList/{guid_in_path(list_guid)}/namedAccounts.json",
        decode=while_token,
        query=chosen | page_query(following),
        permission="Read-Only Named Account",
    )


def filtered(filter_type: str, values: Sequence[object]) -> dict[str, str]:
    """The part of a query that says which records are meant."""
    return {
        "filterType": filter_type,
        "filterValues": comma_separated(values, f"values of {filter_type}", at_most=FILTER_VALUES_MAX),
    }


def decode(reply: Reply) -> Described:
    """The one object that a describe answer is about."""
    if not reply.result:
        raise Malformed("describe named no object")
    return described(reply.result[0])


def custom_object_types(reply: Reply) -> tuple[CustomObject, ...]:
    """The list of custom objects; Malformed when one has no usable name, as it would vanish without an error."""
    return tuple(custom_object_type(row) for row in reply.result)
