"""Tests of changes: deletions, merges, fields, members and rows of tables."""

import pytest

from tests.unit.sandbox.caller import Caller, code_of, text_of

LEADS = "/rest/v1/leads.json"
BULK = "/bulk/v1/leads/export"
TOKEN = "/rest/v1/activities/pagingtoken.json"
DELETED = "/rest/v1/activities/deletedleads.json"


def window(caller: Caller) -> dict[str, str]:
    return {"startAt": text_of(caller.now - 86_400), "endAt": text_of(caller.now)}


def deleted_ids(caller: Caller) -> list[int]:
    """Leads of deletedleads.json since the day before."""
    token = caller.get(TOKEN, sinceDatetime=text_of(caller.now - 86_400))["nextPageToken"]
    found: list[int] = []
    while True:
        page = caller.get(DELETED, nextPageToken=token)
        found += [row["leadId"] for row in page.get("result", ())]
        token = page["nextPageToken"]
        if not page["moreResult"]:
            return found


def test_a_deleted_lead_is_gone_everywhere_but_from_deletedleads() -> None:
    """Not by id, not in bulk, not on lists, not in programs; its deletion is in no bulk export of activities."""
    caller = Caller()
    caller.change(leads=[{"id": 1001, "title": "x"}, {"id": 1002, "title": "x"}])
    assert caller.change(delete_leads=[1001])["deleted_leads"] == [1001]
    assert [row["id"] for row in caller.get(LEADS, filterType="id", filterValues="1001,1002")["result"]] == [1002]
    rows = caller.rows(BULK, {"fields": ["id"], "filter": {"updatedAt": window(caller)}})
    assert ["1001"] not in rows
    assert ["1002"] in rows
    assert deleted_ids(caller) == [1001]
    activities = caller.rows("/bulk/v1/activities/export", {"filter": {"createdAt": window(caller)}})
    assert "37" not in {row[3] for row in activities[1:]}
    assert len(caller.truth("activities")) == 600
    assert [line["leadId"] for line in caller.truth("deleted_leads")] == [1001]
    for stream in ("list_members", "program_members", "custom_objects/car_c"):
        assert not [line for line in caller.truth(stream) if 1001 in (line.get("leadId"), line.get("leadID"))]


def test_a_deletion_of_so_many_is_repeatable() -> None:
    """The leads follow from the seed."""
    assert len({str(Caller().change(delete_leads=3, seed=4)["deleted_leads"]) for _ in range(2)}) == 1


def test_a_merge_leaves_the_winner_with_everything() -> None:
    """It takes empty fields, activities and memberships; the loser is in no list of deleted leads."""
    caller = Caller()
    caller.change(leads=[{"id": 1001, "title": None, "city": "Oslo"}, {"id": 1008, "title": "CEO", "city": "Kyoto"}])
    caller.change(list_members=[{"listId": 2001, "remove": [1001]}])
    logs = [line for line in caller.truth("activities") if line["leadId"] in (1001, 1008)]
    caller.now += 60
    caller.change(merge_leads=[[1001, 1008]])
    leads = {line["id"]: line for line in caller.truth("leads")}
    assert (leads[1001]["title"], leads[1001]["city"], 1008 in leads) == ("CEO", "Oslo", False)
    assert leads[1001]["updatedAt"] == text_of(caller.now)
    of_winner = [line for line in caller.truth("activities") if line["leadId"] == 1001]
    assert [line["activityTypeId"] for line in of_winner[len(logs) :]] == [32]
    assert '"Merge IDs":"1008"' in of_winner[-1]["attributes"]
    assert {"listId": 2001, "leadId": 1001} in caller.truth("list_members")
    members = [(line["programId"], line["leadId"]) for line in caller.truth("program_members")]
    assert len(members) == len(set(members))
    assert deleted_ids(caller) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"merge_leads": [[1001, 1001]]},
        {"merge_leads": [[1001, 1]]},
        {"delete_leads": [1]},
        {"remove_field": "noSuchField"},
        {"add_field": {"name": "Email", "dataType": "string"}},
        {"add_field": {"name": "x", "dataType": "blob"}},
        {"records": {"noSuchTable": [{"row": 0}]}},
        {"records": {"companies": [{"row": 10_000}]}},
        {"list_members": [{"listId": 1, "add": [1001]}]},
    ],
)
def test_what_cannot_be_changed_is_refused(asked: dict[str, object]) -> None:
    """A mistake in a test's own script is loud."""
    assert Caller().control("POST", "change", asked).status == 400


def test_fields_come_and_go() -> None:
    """Describe shows it at once, an export may no longer name what went, and a new field starts as null."""
    caller = Caller()
    caller.change(add_field={"name": "shoeSize", "dataType": "integer"}, remove_field="nickname")
    names = {field["rest"]["name"] for field in caller.get("/rest/v1/leads/describe.json")["result"] if "rest" in field}
    assert "shoeSize" in names
    assert "nickname" not in names
    assert code_of(caller.create(fields=["id", "nickname"])) == "1003"
    caller.change(leads=[{"id": 1002, "shoeSize": 43}])
    found = caller.get(LEADS, filterType="id", filterValues="1001,1002", fields="shoeSize")["result"]
    assert found == [{"shoeSize": None}, {"shoeSize": 43}]


def test_a_job_keeps_the_fields_that_it_was_created_with() -> None:
    """A field that goes between create and start is still in the file."""
    caller = Caller()
    job_id = caller.queued(fields=["id", "nickname"])
    caller.change(remove_field="nickname")
    caller.now += 180
    assert caller.job(job_id)["status"] == "Completed"


def test_an_update_moves_a_lead_to_the_window_of_its_newest_updatedat() -> None:
    """An earlier window no longer has it."""
    caller = Caller(token_seconds=1e9)
    before = caller.now
    caller.change(leads=[{"id": 1001, "title": "a"}])
    caller.now += 7_200
    caller.change(leads=[{"id": 1001, "title": "b"}])
    old = {"startAt": text_of(before - 10), "endAt": text_of(before + 10)}
    new = {"startAt": text_of(caller.now - 10), "endAt": text_of(caller.now)}
    assert caller.rows(BULK, {"fields": ["id"], "filter": {"updatedAt": old}})[1:] == []
    assert caller.rows(BULK, {"fields": ["id", "title"], "filter": {"updatedAt": new}})[1:] == [["1001", "b"]]


def test_rows_of_tables_can_be_changed() -> None:
    """Updated, added and deleted by their place in the truth."""
    caller = Caller()
    before = caller.truth("companies")
    done = caller.change(
        records={"companies": [{"row": 1, "industry": "Mining"}]},
        new_records={"companies": [{"company": "New"}]},
        delete_records={"companies": [0]},
    )
    after = caller.truth("companies")
    assert (done["new_rows"], len(after)) == ({"companies": [200]}, len(before))
    assert after[0] == before[1] | {"industry": "Mining", "updatedAt": done["now"]}
    assert after[-1]["company"] == "New"
