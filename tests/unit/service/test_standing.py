"""Where the daemon stands, as values."""

from datetime import UTC, datetime

from syncengine.service.standing import PROBLEMS_KEPT, GroupStanding, InboxStanding, Problem, Standings

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def standings() -> Standings:
    found = Standings(AT)
    for instance, group in (("acme", "nightly"), ("emea", "nightly"), ("acme", "hourly")):
        found.groups[instance, group] = GroupStanding(instance=instance, group=group)
    for name, instance in (("people", "acme"), ("others", "emea")):
        found.inboxes[name] = InboxStanding(name=name, instance=instance, path="x")
    return found


def test_an_instance_that_is_gone_stands_nowhere() -> None:
    """Neither its groups nor its folders; the others stay."""
    found = standings()
    found.forget("acme")
    assert ([("emea", "nightly")], ["others"]) == (list(found.groups), list(found.inboxes))


def test_groups_are_found_by_their_instance() -> None:
    """All of one and none of another."""
    assert ["nightly", "hourly"] == [each.group for each in standings().of_instance("acme")]


def test_only_recent_problems_are_kept() -> None:
    """A daemon that has trouble for months does not grow by it."""
    found = standings()
    for number in range(PROBLEMS_KEPT + 10):
        found.problems.append(Problem(AT, "acme", "nightly", str(number)))
    assert (PROBLEMS_KEPT, "10") == (len(found.problems), found.problems[0].text)


def test_each_daemon_has_standings_of_its_own() -> None:
    """Two in one process, as in tests, do not share them."""
    first, second = standings(), Standings(AT)
    assert ({}, {}, 0) == (second.groups, second.inboxes, len(second.problems))
    assert first.groups
