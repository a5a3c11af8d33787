"""Changes of data on purpose: what a test or a benchmark may do to an instance that runs.

Everything happens at the instant of the call. The verbs of a change, all of them optional:

    update_leads, add_leads, add_activities, delete_leads   how many, chosen from `seed`
    leads            [{"id": 1001, "lastName": "New"}]      set fields of leads
    new_leads        [{"email": "a@example.com"}]
    new_activities   [{"leadId": 1001, "activityTypeId": 6, "date": ..., "visibleAt": ...}]
    delete_leads     [1001, 1002]                           these leads
    merge_leads      [[winner, loser], ...]
    log_changes      true: updates and additions of leads write activities 13 and 12 too
    add_field        {"name": ..., "dataType": ..., "displayName": ...}
    remove_field     name
    list_members     [{"listId": 2001, "add": [1001], "remove": [1002]}]
    records          {"companies": [{"row": 0, "company": "New"}]}   set fields of rows of a table
    new_records      {"programs": [{"name": "New"}]}
    delete_records   {"companies": [0]}                     these rows
    assets           [{"do": "edit", "kind": "email", "id": 14, ...}]   see below
    asset_churn      {"edit": 20, "move": 5, "rename": 5, "delete": 5}  chosen from `seed`, all different

What is done to assets: edit (`text`, `version`), rename (`name`), move (`to`), delete, create (`name`, `to`, `text`,
`version`), approve, token (`name`, `text`: a My Token of a folder or program). `to` is {"type": "Folder", "id": 5}. A
folder or program takes what it contains along when it is deleted. The answer lists under `assets` what was done.

Rows of a table are counted from 0 in the order of its truth as it was at the start.
"""

import random
from collections.abc import Mapping
from typing import Any

import orjson

from syncengine.sandbox.activity_types import CHANGE_DATA_VALUE, MERGE_LEADS, NEW_LEAD
from syncengine.sandbox.asset_changes import AssetChanges, churn
from syncengine.sandbox.database import Database
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.people import FIRST_LEAD_ID, People
from syncengine.sandbox.records import Records
from syncengine.sandbox.values import utc_formatter

KNOWN = frozenset(
    [
        "update_leads",
        "add_leads",
        "add_activities",
        "seed",
        "leads",
        "new_leads",
        "new_activities",
        "delete_leads",
        "merge_leads",
        "log_changes",
        "add_field",
        "remove_field",
        "list_members",
        "records",
        "new_records",
        "delete_records",
        "assets",
        "asset_churn",
    ]
)


def change(data: Database, asked: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Change data now and return the ids and GUIDs that were touched; raises ValueError for what cannot be done."""
    people, activities = data.people, data.activities
    unknown = sorted(set(asked) - KNOWN)
    if unknown:
        raise ValueError(f"a change has no {', '.join(unknown)}")
    rng = random.Random(f"change {asked.get('seed', now)}")  # noqa: S311  # repeatable, not secret
    logs = bool(asked.get("log_changes"))
    if "add_field" in asked:
        field = asked["add_field"]
        people.add_field(field["name"], field["dataType"], field.get("displayName", ""))
    if "remove_field" in asked:
        people.remove_field(asked["remove_field"])
    updated = []
    for row in rng.sample(people.rows(), int(asked.get("update_leads", 0))):
        _update(data, FIRST_LEAD_ID + row, _random_values(people, rng), now, logs=logs)
        updated.append(FIRST_LEAD_ID + row)
    for given in asked.get("leads", ()):
        values = dict(given)
        lead_id = int(values.pop("id"))
        _update(data, lead_id, values, now, logs=logs)
        updated.append(lead_id)
    added = [people.add({"lastName": f"Added {number}"}, now) for number in range(int(asked.get("add_leads", 0)))]
    added += [people.add(values, now) for values in asked.get("new_leads", ())]
    if logs:
        for lead_id in added:
            activities.add({"leadId": lead_id, "activityTypeId": NEW_LEAD}, now)
    guids = [activities.add({}, now) for _ in range(int(asked.get("add_activities", 0)))]
    guids += [activities.add(values, now) for values in asked.get("new_activities", ())]
    for listed in asked.get("list_members", ()):
        _list_members(data, listed)
    for winner, loser in asked.get("merge_leads", ()):
        _merge(data, int(winner), int(loser), now)
    rows = _table_changes(data, asked, now)
    deleted = _deleted(data, asked.get("delete_leads", ()), rng, now)
    done = _asset_changes(data, asked, rng, int(now))
    return {
        "now": utc_formatter()(int(now)),
        **({} if done is None else {"assets": done}),
        "updated_leads": updated,
        "added_leads": added,
        "added_activities": guids,
        "deleted_leads": deleted,
        "new_rows": rows,
    }


def _asset_changes(
    data: Database, asked: Mapping[str, Any], rng: random.Random, now: int
) -> list[dict[str, Any]] | None:
    """What was done to assets; None when nothing was asked for, so that the tree is not made for it."""
    if not asked.keys() & {"assets", "asset_churn"}:
        return None
    changes = AssetChanges(data.assets, now)
    done = [one for asset in asked.get("assets", ()) for one in changes.apply(asset)]
    return done + churn(data.assets, asked.get("asset_churn", {}), rng, now)


def _update(data: Database, lead_id: int, values: Mapping[str, Any], now: float, *, logs: bool) -> None:
    people, row = data.people, data.people.find(lead_id)
    names = list(values)
    before = people.columns(names, [row]) if logs and row is not None else []
    people.update(lead_id, values, now)
    if not logs or row is None:
        return
    after = people.columns(names, [row])
    for name, (old,), (new,) in zip(names, before, after, strict=True):
        texts = {"Old Value": old, "New Value": new, "Source": "Web service API", "Reason": "Web service API"}
        logged = {
            "leadId": lead_id,
            "activityTypeId": CHANGE_DATA_VALUE,
            "primaryAttributeValue": name,
            "primaryAttributeValueId": people.fields[name].id,
            "attributes": orjson.dumps({key: str(text) for key, text in texts.items() if text is not None}).decode(),
        }
        data.activities.add(logged, now)


def _merge(data: Database, winner: int, loser: int, now: float) -> None:
    """The winner takes what it lacks from the loser, its memberships and its log; the loser is gone."""
    people = data.people
    rows = [people.find(winner), people.find(loser)]
    if winner == loser or rows[0] is None or rows[1] is None:
        raise ValueError(f"{loser} cannot be merged into {winner}: two different leads are needed")
    names = [field.name for field in people.exportable() if not field.is_read_only]
    pairs = zip(names, people.columns(names, [rows[0], rows[1]]), strict=True)
    people.update(winner, {name: lost for name, (kept, lost) in pairs if kept is None and lost is not None}, now)
    data.lists.merge(winner, loser)
    data.fates.merge(winner, loser)
    for table in (data.members.records, data.objects["opportunity_roles"], *data.custom.tables.values()):
        table.reindex()
    attributes = {
        "Master Updated": True,
        "Merge Fields": "",
        "Merge IDs": str(loser),
        "Merge Source": "Web service API",
    }
    logged = {
        "leadId": winner,
        "activityTypeId": MERGE_LEADS,
        "primaryAttributeValueId": winner,
        "primaryAttributeValue": _name_of(people, rows[0]),
        "attributes": orjson.dumps(attributes).decode(),
    }
    data.activities.add(logged, now)


def _deleted(data: Database, asked: Any, rng: random.Random, now: float) -> list[int]:
    people = data.people
    if isinstance(asked, int):
        lead_ids = [FIRST_LEAD_ID + row for row in rng.sample(people.rows(), asked)]
    else:
        lead_ids = [int(lead_id) for lead_id in asked]
    for lead_id in lead_ids:
        row = people.find(lead_id)
        if row is None:
            raise ValueError(f"there is no lead {lead_id}")
        logged = {
            "leadId": lead_id,
            "primaryAttributeValueId": lead_id,
            "primaryAttributeValue": _name_of(people, row),
            "attributes": "{}",
            "campaignId": None,
        }
        data.activities.add(logged, now, is_deletion=True)
        data.fates.delete(lead_id)
    return lead_ids


def _name_of(people: People, row: int) -> str:
    names = people.columns(["firstName", "lastName"], [row])
    return " ".join(str(name) for (name,) in names if name)


def _list_members(data: Database, listed: Mapping[str, Any]) -> None:
    row = data.lists.find("id", listed["listId"])
    if row is None:
        raise ValueError(f"there is no list {listed['listId']}")
    for verb in ("add", "remove"):
        for lead_id in listed.get(verb, ()):
            data.lists.put(row, int(lead_id), is_member=verb == "add")


def _table_changes(data: Database, asked: Mapping[str, Any], now: float) -> dict[str, list[int]]:
    for name, changes in asked.get("records", {}).items():
        for given in changes:
            values = dict(given)
            _table(data, name).update(int(values.pop("row")), values, now)
    for name, rows in asked.get("delete_records", {}).items():
        for row in rows:
            _table(data, name).remove(int(row))
    return {
        name: [_table(data, name).add(values, now) for values in given]
        for name, given in asked.get("new_records", {}).items()
    }


def _table(data: Database, name: str) -> Records:
    table = data.table(name)
    if table is None:
        raise ValueError(f"there is no table {name!r}")
    return table


def _random_values(people: People, rng: random.Random) -> dict[str, Any]:
    fields = [field for field in people.fields.values() if not field.is_read_only]
    values: dict[str, Any] = {"leadScore": rng.randrange(-50, 500)}
    for field in rng.sample(fields, min(3, len(fields))):
        if field.data_type in {"string", "text"}:
            values[field.name] = rng.choice((None, *HOSTILE_TEXTS))
        elif field.data_type == "boolean":
            values[field.name] = rng.choice((True, False, None))
    return values
