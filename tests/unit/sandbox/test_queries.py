"""Tests of queries by filter type."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.unit.sandbox.caller import FORM, Caller, code_of, value_of

LEADS = "/rest/v1/leads.json"
COMPANIES = "/rest/v1/companies.json"
ROLES = "/rest/v1/opportunities/roles.json"
CARS = "/rest/v1/customobjects/car_c.json"
PURCHASES = "/rest/v1/customobjects/purchase_c.json"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (LEADS, {"filterValues": "1"}, "1002"),
        (LEADS, {"filterType": "id"}, "1002"),
        (LEADS, {"filterType": "lastName", "filterValues": "x"}, "1011"),
        (LEADS, {"filterType": "isVip", "filterValues": "true"}, "1011"),
        (LEADS, {"filterType": "id", "filterValues": "x"}, "1001"),
        (LEADS, {"filterType": "id", "filterValues": ",".join(map(str, range(301)))}, "1003"),
        (LEADS, {"filterType": "id", "filterValues": "1001", "fields": "noSuchField"}, "1006"),
        (LEADS, {"filterType": "nickname", "filterValues": "x", "batchSize": "301"}, "1003"),
        (LEADS, {"filterType": "id", "filterValues": "1001", "nextPageToken": "x"}, "1003"),
        (COMPANIES, {"filterType": "industry", "filterValues": "x"}, "1011"),
        (COMPANIES, {"filterType": "id", "filterValues": "1", "fields": "noSuchField"}, "1006"),
        (ROLES, {"filterType": "dedupeFields", "filterValues": "OPP0000001L"}, "1003"),
        (CARS, {"filterType": "make", "filterValues": "x"}, "1011"),
        ("/rest/v1/customobjects/noSuch_c.json", {"filterType": "idField", "filterValues": "x"}, "1013"),
        ("/rest/v1/customobjects/idea_c.json", {"filterType": "idField", "filterValues": "x"}, "1013"),
        ("/rest/v1/namedAccountLists.json", {"filterType": "name", "filterValues": "x"}, "1011"),
        ("/rest/v1/namedAccountList/x/namedAccounts.json", {}, "1013"),
    ],
)
def test_wrong_questions_are_refused(path: str, query: dict[str, str], code: str) -> None:
    """What is not searchable, unknown, of another type or too much."""
    assert code_of(Caller().call("GET", path, query=query)) == code


def test_leads_come_with_what_was_asked_and_null_where_nothing_is_known() -> None:
    """Six fields without `fields`; ids that there are not are left out; 300 are allowed."""
    caller = Caller()
    wanted = ",".join(map(str, range(1001, 1301)))
    found = caller.get(LEADS, filterType="id", filterValues=wanted)
    assert [row["id"] for row in found["result"]] == list(range(1001, 1301))
    assert set(found["result"][0]) == {"id", "email", "updatedAt", "createdAt", "firstName", "lastName"}
    assert "nextPageToken" not in found
    truth = {line["id"]: line for line in caller.truth("leads")}
    some = caller.get(LEADS, filterType="id", filterValues="1002,9", fields="nickname,leadScore,lastSeenLocal,isVip")
    assert some["result"] == [{name: truth[1002][name] for name in ("nickname", "leadScore", "lastSeenLocal", "isVip")}]
    email = truth[1002]["email"]
    assert 1002 in [row["id"] for row in caller.get(LEADS, filterType="email", filterValues=email)["result"]]
    assert caller.get(LEADS, filterType="email", filterValues="nobody@x.org")["result"] == []


def test_many_leads_of_one_value_are_paged_and_too_many_refused() -> None:
    """A page says that others follow; above a thousand there is no page."""
    caller = Caller(leads=1_100)
    caller.change(leads=[{"id": 1001 + row, "storeVisits": 77} for row in range(1_000)])
    asked = {"filterType": "storeVisits", "filterValues": "77", "fields": "id", "batchSize": 300}
    found, token = [], ""
    while True:
        page = caller.get(LEADS, **asked, nextPageToken=token)
        found += [row["id"] for row in page["result"]]
        token = page.get("nextPageToken", "")
        assert page.get("moreResult", False) is bool(token)
        if not token:
            break
    assert found == list(range(1001, 2001))
    caller.change(leads=[{"id": 2001, "storeVisits": 77}])
    assert caller.get(LEADS, **asked)["errors"] == [{"code": "1003", "message": "Too many results match the filter"}]


def test_a_long_question_goes_as_a_form() -> None:
    """POST with _method=GET asks the same; without, it is a write, which takes no form."""
    caller = Caller()
    form = urlencode({"filterType": "id", "filterValues": "1001,1002"}).encode()
    reply = caller.call("POST", LEADS, form, query={"_method": "GET"}, headers=FORM)
    assert [row["id"] for row in value_of(reply)["result"]] == [1001, 1002]
    assert code_of(caller.call("POST", LEADS, form, headers=FORM)) == "612"


def test_every_key_on_a_lead_leads_to_a_record() -> None:
    """All companies and sales persons are named by someone."""
    caller = Caller()
    leads = caller.truth("leads")
    for stream, field in (("companies", "externalCompanyId"), ("salespersons", "externalSalesPersonId")):
        keys = {line[field] for line in leads} - {None}
        assert keys == {line[field] for line in caller.truth(stream)}
        page = caller.get(f"/rest/v1/{stream}.json", filterType="dedupeFields", filterValues=",".join(sorted(keys)))
        assert len(page["result"]) == len(keys)


def test_roles_and_opportunities_are_found_from_leads() -> None:
    """Roles by leadId, opportunities by the key that roles carry; what is null is left out."""
    caller = Caller(opportunities=50, opportunity_roles=150)
    wanted = ",".join(map(str, range(1001, 1301)))
    roles = caller.get(ROLES, filterType="leadId", filterValues=wanted)["result"]
    truth = caller.truth("opportunity_roles")
    assert {row["marketoGUID"] for row in roles} == {line["marketoGUID"] for line in truth}
    assert len({(line["externalOpportunityId"], line["leadId"], line["role"]) for line in truth}) == len(truth)
    keys = ",".join(sorted({row["externalOpportunityId"] for row in roles}))
    names = ",".join(caller.truth("opportunities")[0])
    found = caller.get(
        "/rest/v1/opportunities.json", filterType="externalOpportunityId", filterValues=keys, fields=names
    )["result"]
    told = [
        {name: value for name, value in line.items() if value is not None} for line in caller.truth("opportunities")
    ]
    assert [{name: value for name, value in row.items() if name != "seq"} for row in found] == told
    assert [row["seq"] for row in found] == list(range(50))


@pytest.mark.parametrize(
    ("path", "stream", "names"),
    [
        (ROLES, "opportunity_roles", ("externalOpportunityId", "leadId", "role")),
        (PURCHASES, "custom_objects/purchase_c", ("leadId", "productName")),
    ],
)
def test_compound_keys_are_asked_in_a_json_body(path: str, stream: str, names: tuple[str, ...]) -> None:
    """Every part of the key has to be there; field names are compared in any case; pages repeat the question."""
    caller = Caller()
    keys = [{name: line[name] for name in names} for line in caller.truth(stream)[:3]]
    body: dict[str, Any] = {"filterType": "dedupeFields", "fields": ["marketoGuid"], "input": keys, "batchSize": 2}
    first = value_of(caller.call("POST", path, body, query={"_method": "GET"}))
    assert (len(first["result"]), first["moreResult"]) == (2, True)
    assert set(first["result"][0]) == {"seq", "marketoGUID"}
    again = body | {"nextPageToken": first["nextPageToken"]}
    second = value_of(caller.call("POST", path, again, query={"_method": "GET"}))
    assert (len(second["result"]), "nextPageToken" in second) == (1, False)
    lacking = body | {"input": [{names[0]: "x"}]}
    assert code_of(caller.call("POST", path, lacking, query={"_method": "GET"})) == "1002"
    assert code_of(caller.call("POST", path, b"{", query={"_method": "GET"})) == "609"


def test_companies_never_say_that_more_follows() -> None:
    """Their pages have a token alone, others say moreResult too."""
    caller = Caller()
    companies = caller.get(COMPANIES, filterType="id", filterValues="1,2,3", batchSize=2)
    cars = caller.get(CARS, filterType="leadID", filterValues=",".join(map(str, range(1001, 1301))), batchSize=2)
    assert ("nextPageToken" in companies, "moreResult" in companies) == (True, False)
    assert ("nextPageToken" in cars, cars["moreResult"]) == (True, True)
    other = caller.get(COMPANIES, filterType="id", filterValues="1,2", nextPageToken=companies["nextPageToken"])
    assert other["errors"][0]["code"] == "1003"


def test_named_accounts_are_found_by_their_lists() -> None:
    """Each is on one list."""
    caller = Caller()
    found = []
    for line in caller.truth("named_account_lists"):
        page = caller.get(f"/rest/v1/namedAccountList/{line['marketoGUID']}/namedAccounts.json")
        found += [row["marketoGUID"] for row in page["result"]]
    assert sorted(found) == sorted(line["marketoGUID"] for line in caller.truth("named_accounts"))


@pytest.mark.parametrize("path", ["companies", "salespersons", "opportunities", "opportunities/roles"])
def test_with_a_crm_some_objects_cannot_be_read(path: str) -> None:
    """Neither described nor queried; named accounts can."""
    caller = Caller(crm=True)
    asked = {"filterType": "idField", "filterValues": "1"}
    assert code_of(caller.call("GET", f"/rest/v1/{path}/describe.json")) == "1018"
    assert code_of(caller.call("GET", f"/rest/v1/{path}.json", query=asked)) == "1018"
    assert code_of(caller.call("GET", "/rest/v1/namedaccounts/describe.json")) == ""


def test_members_of_a_program_are_found_by_key() -> None:
    """By lead, status or custom field, within one program; a page says whether more follow."""
    caller = Caller()
    path = "/rest/v1/programs/4002/members.json"
    members = [row for row in caller.truth("program_members") if row["programId"] == 4002]
    lead_ids = [row["leadId"] for row in members[:3]]
    page = caller.get(path, filterType="leadId", filterValues=",".join(map(str, [*lead_ids, 7])))
    assert [row["leadId"] for row in page["result"]] == lead_ids
    assert (page["result"][2]["seq"], page["moreResult"]) == (2, False)
    assert set(page["result"][0]) == {"seq", "acquiredBy", "leadId", "membershipDate", "programId", "reachedSuccess"}
    found: list[int] = []
    query = {"filterType": "reachedSuccess", "filterValues": "false", "batchSize": "7"}
    while True:
        page = caller.get(path, **query)
        found += [row["leadId"] for row in page["result"]]
        if not page["moreResult"]:
            break
        query["nextPageToken"] = page["nextPageToken"]
    assert found == [row["leadId"] for row in members if row["reachedSuccess"] is False]
    for asked, code in (({"filterType": "updatedAt"}, "1011"), ({"fields": "noSuch"}, "1006"), ({}, "1013")):
        where = path if asked else path.replace("4002", "7")
        sent = {"filterType": "leadId", "filterValues": "1003", **asked}
        assert code_of(caller.call("GET", where, query=sent)) == code


def test_objects_follow_a_merge() -> None:
    """What was found under the loser is found under the winner, though an index was there before."""
    caller = Caller(custom_object_rows=200)
    path = "/rest/v1/customobjects/car_c.json"
    winner, loser = (row["leadID"] for row in caller.truth("custom_objects/car_c")[:2])
    before = caller.get(path, filterType="leadID", filterValues=f"{winner},{loser}")["result"]
    caller.change(merge_leads=[[winner, loser]])
    after = caller.get(path, filterType="leadID", filterValues=str(winner))["result"]
    assert [row["marketoGUID"] for row in after] == [row["marketoGUID"] for row in before]
