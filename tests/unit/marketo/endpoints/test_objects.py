"""Objects of the lead database: described, and found by the values of a field."""

from typing import Any

import pytest

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import objects
from syncengine.marketo.endpoints.objects import ObjectKind
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Malformed, Reply

CAR = objects.custom_object("car_c")
LIST = "dff23271-f996-47d7-984f-f2676861b5fb"
ROWS = ({"marketoGUID": "a", "seq": 0},)


@pytest.mark.parametrize(
    ("kind", "path", "permission"),
    [
        (objects.COMPANIES, "/rest/v1/companies", "Read-Only Company"),
        (objects.OPPORTUNITIES, "/rest/v1/opportunities", "Read-Only Opportunity"),
        (objects.OPPORTUNITY_ROLES, "/rest/v1/opportunities/roles", "Read-Only Opportunity"),
        (objects.SALESPERSONS, "/rest/v1/salespersons", "Read-Only Sales Person"),
        (objects.NAMED_ACCOUNTS, "/rest/v1/namedaccounts", "Read-Only Named Account"),
        (CAR, "/rest/v1/customobjects/car_c", "Read-Only Custom Object"),
    ],
)
def test_every_kind_is_described_and_found_in_one_way(kind: ObjectKind, path: str, permission: str) -> None:
    """Path and permission are the kind's, all else is alike; a lost answer is asked for again."""
    described = objects.describe(kind)
    assert (described.name, described.path, described.permission) == (
        f"{kind.name}.describe",
        f"{path}/describe.json",
        permission,
    )
    found = objects.by_key(kind, "marketoGUID", ["a", "b"], ["name", "city"], "T==")
    assert (found.name, found.method, found.path) == (f"{kind.name}.by_key", "GET", f"{path}.json")
    assert (found.permission, found.repeat) == (permission, Repeat.SAFE)
    assert found.query == {
        "filterType": "marketoGUID",
        "filterValues": "a,b",
        "fields": "name,city",
        "batchSize": "300",
        "nextPageToken": "T==",
    }


def test_kinds_are_told_apart_by_name() -> None:
    """Two objects never share counters and logs."""
    kinds = {
        objects.COMPANIES,
        objects.OPPORTUNITIES,
        objects.OPPORTUNITY_ROLES,
        objects.SALESPERSONS,
        objects.NAMED_ACCOUNTS,
        objects.PROGRAM_MEMBERS,
        CAR,
        objects.custom_object("boat_c"),
    }
    assert 8 == len({kind.name for kind in kinds})


def test_members_are_described_but_not_looked_up() -> None:
    """They are asked for program by program, which bulk export does."""
    call = objects.describe(objects.PROGRAM_MEMBERS)
    assert ("/rest/v1/programs/members/describe.json", "Read-Only Lead") == (call.path, call.permission)
    with pytest.raises(ValueError, match="exported"):
        objects.by_key(objects.PROGRAM_MEMBERS, "leadId", [1])


def test_fields_may_be_left_to_marketo() -> None:
    """Without names Marketo gives keys and dates."""
    assert "fields" not in objects.by_key(CAR, "vin", ["1"]).query


@pytest.mark.parametrize("count", [1, 300])
def test_a_call_takes_up_to_300_values(count: int) -> None:
    """Each of them is sent."""
    values = objects.by_key(CAR, "leadID", range(count)).query["filterValues"]
    assert list(map(str, range(count))) == values.split(",")


@pytest.mark.parametrize("values", [[], range(301), ["Acme, Inc."]])
def test_values_that_do_not_fit_are_not_sent(values: Any) -> None:
    """Too many are refused by Marketo, a comma would be read as two values."""
    with pytest.raises(ValueError, match="values of company"):
        objects.by_key(objects.COMPANIES, "company", values)


def test_pages_follow_while_a_token_comes() -> None:
    """Companies have no `moreResult` in Adobe's definitions."""
    decode = objects.by_key(objects.COMPANIES, "id", [1]).decode
    assert Page(ROWS, "T") == decode(Reply(result=ROWS, next_page_token="T"))
    assert Page(ROWS, None) == decode(Reply(result=ROWS))


@pytest.mark.parametrize("name", ["", "../leads", "car c", "car/x", "car.json"])
def test_no_name_leads_out_of_the_path(name: str) -> None:
    """A name that is none is refused before any call."""
    with pytest.raises(Malformed):
        objects.custom_object(name)


def test_a_description_is_read() -> None:
    """The one object of the answer; an answer about none is a fault."""
    decode = objects.describe(CAR).decode
    row = {"name": "car_c", "fields": [{"name": "vin", "dataType": "string"}]}
    assert ("car_c", "vin") == (decode(Reply(result=(row,))).name, decode(Reply(result=(row,))).fields[0].name)
    with pytest.raises(Malformed):
        decode(Reply())


def test_custom_objects_are_listed() -> None:
    """All in one answer; an instance may have none."""
    call = objects.custom_objects()
    assert ("/rest/v1/customobjects.json", {}, "Read-Only Custom Object") == (call.path, call.query, call.permission)
    listed = call.decode(Reply(result=({"name": "car_c"}, {"name": "boat_c"})))
    assert ["car_c", "boat_c"] == [each.name for each in listed]
    assert () == call.decode(Reply())
    with pytest.raises(Malformed):
        call.decode(Reply(result=({"displayName": "Car"},)))


def test_account_lists_are_found_by_key() -> None:
    """By GUID or by name; Marketo does not list them."""
    call = objects.named_account_lists("dedupeFields", ["Saas List"], "T")
    assert ("/rest/v1/namedAccountLists.json", "Read-Only Named Account List") == (call.path, call.permission)
    assert call.query == {
        "filterType": "dedupeFields",
        "filterValues": "Saas List",
        "batchSize": "300",
        "nextPageToken": "T",
    }
    assert Page(ROWS, "U") == call.decode(Reply(result=ROWS, next_page_token="U"))


def test_accounts_of_a_list_are_listed() -> None:
    """All of them, page by page, with the fields that are named."""
    call = objects.accounts_of_list(LIST, ["name"], "T")
    assert (f"/rest/v1/namedAccountList/{LIST}/namedAccounts.json", "Read-Only Named Account") == (
        call.path,
        call.permission,
    )
    assert {"fields": "name", "batchSize": "300", "nextPageToken": "T"} == call.query
    assert {"batchSize": "300"} == objects.accounts_of_list(LIST).query
    with pytest.raises(Malformed):
        objects.accounts_of_list("../leads")


def test_compound_keys_are_asked_for_in_a_body() -> None:
    """Every field of each key, and the token of the page before; a value may hold a comma."""
    keys = [{"mlsNum": "1,962", "houseOwnerId": "42645756"}, {"houseOwnerId": "5", "mlsNum": "2"}]
    call = objects.by_compound_key(CAR, keys, ["marketoGUID", "Bedrooms"], "T")
    assert ("POST", "/rest/v1/customobjects/car_c.json", {"_method": "GET"}) == (call.method, call.path, call.query)
    assert {
        "filterType": "dedupeFields",
        "fields": ["marketoGUID", "Bedrooms"],
        "input": keys,
        "batchSize": 300,
        "nextPageToken": "T",
    } == call.json
    assert (Repeat.SAFE, "Read-Only Custom Object") == (call.repeat, call.permission)
    assert {"filterType", "input", "batchSize"} == set(objects.by_compound_key(CAR, keys).json)
    assert Page(ROWS, "U") == call.decode(Reply(result=ROWS, next_page_token="U"))


@pytest.mark.parametrize("keys", [[], [{}], [{"a": 1}] * 301, [{"a": 1}, {"b": 1}]])
def test_keys_that_marketo_would_misread_are_not_sent(keys: list[dict[str, object]]) -> None:
    """1 to 300 keys of the same fields."""
    with pytest.raises(ValueError, match=r"records|field"):
        objects.by_compound_key(CAR, keys)


def test_custom_objects_are_synced_as_adobes_page_has_it() -> None:
    """Only an update may be repeated blindly; the marketoGUID is a key of updates alone."""
    rows = [{"vin": "19UYA31581L000000"}]
    call, update = (
        objects.sync_custom_objects("car_c", rows),
        objects.sync_custom_objects("car_c", rows, action="updateOnly"),
    )
    assert ("POST", "/rest/v1/customobjects/car_c.json") == (call.method, call.path)
    assert {"action": "createOrUpdate", "dedupeBy": "dedupeFields", "input": rows} == call.json
    assert [Repeat.UNSAFE, Repeat.SAFE] == [call.repeat, update.repeat]
    assert "Read-Write Custom Object" == call.permission
    with pytest.raises(ValueError, match="only updated"):
        objects.sync_custom_objects("car_c", rows, dedupe_by="idField")
    with pytest.raises(Malformed):
        objects.sync_custom_objects("../x", rows)
