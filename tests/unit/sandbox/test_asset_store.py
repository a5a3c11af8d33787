"""Tests of the store of assets: made when it is needed, of any size, and in one with the lead database."""

import pytest

from tests.unit.sandbox.asset_caller import asked, everything, known, of_kind
from tests.unit.sandbox.caller import Caller


def test_assets_are_made_by_the_first_call_that_needs_them() -> None:
    """Who reads leads never pays for them."""
    caller = Caller()
    caller.get("/rest/v1/lists.json")
    caller.change(update_leads=1)
    assert "assets" not in vars(caller.instance.data)
    asked(caller, "emails")
    assert "assets" in vars(caller.instance.data)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"assets": 0, "programs": 0, "workspaces": 1, "lists": 0, "campaigns": 0}, 0),
        ({"assets": 0, "programs": 0, "workspaces": 1}, 112),
        ({"assets": 1, "programs": 1, "lists": 2, "campaigns": 0}, 3),
        ({"assets": 17, "programs": 0, "workspaces": 5, "campaigns": 1, "lists": 0}, 18),
        ({"assets": 30, "programs": 3, "assets_v2": False, "lists": 0, "campaigns": 0}, 30),
    ],
)
def test_an_instance_may_have_next_to_nothing(options: dict[str, int], count: int) -> None:
    """There is a tree and there are channels, whatever else there is."""
    caller = Caller(**options)
    kinds = [kind for kind, _ in known(caller)]
    fixed = {"folder", "program", "channel", "tag-type", "landing-page-domain"}
    assert sum(kind not in fixed for kind in kinds) == count
    assert len(everything(caller, "folders", maxDepth=0)) == 3
    assert len(asked(caller, "channels")["result"]) == 5


def test_as_many_assets_as_were_asked_for() -> None:
    """Of all seeded kinds together; a third is approved, a third has a draft beside it, a third is a draft."""
    assets = known(Caller(assets=300, lists=0, campaigns=0))
    seeded = {kind for kind, _ in assets} - {"folder", "program", "channel", "tag-type", "landing-page-domain"}
    assert len(seeded) == 13
    assert sum(kind in seeded for kind, _ in assets) == 300
    states = [tuple(version["version"] for version in line["versions"]) for line in of_kind(assets, "email")]
    shares = {state: states.count(state) / len(states) for state in set(states)}
    assert set(shares) == {("approved",), ("approved", "draft"), ("draft",)}
    assert all(0.3 < share < 0.37 for share in shares.values())


def test_both_apis_agree() -> None:
    """Programs, campaigns and static lists have one id, name, date and place wherever they are shown."""
    caller = Caller(assets=50, programs=40)
    assets = known(caller)
    for stream, kind in (("campaigns", "smart-campaign"), ("lists", "static-list")):
        lines = {line["id"]: line for line in caller.truth(stream)}
        assert lines.keys() == {line["id"] for line in of_kind(assets, kind)}
        for line in of_kind(assets, kind):
            row, other = line["versions"][0]["row"], lines[line["id"]]
            assert (row["name"], row["workspace"]) == (other["name"], other["workspaceName"])
            assert [row[name] for name in ("createdAt", "updatedAt")] == [
                f"{other[name]}+0000" for name in ("createdAt", "updatedAt")
            ]
            program = other.get("programName")
            assert (line["folder"]["type"] == "Program") == (program is not None)
            if program is not None:
                assert assets["program", line["folder"]["id"]]["name"] == program
    programs = caller.truth("programs")
    assert sorted(programs, key=lambda one: one["id"]) == sorted(
        everything(caller, "programs"), key=lambda one: one["id"]
    )
    assert {line["workspace"] for line in programs} == {"Default", "EMEA, APAC", "Labs \u00e9"}
