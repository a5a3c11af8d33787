"""Tests of what writes see of each other."""

from syncengine.sandbox.sights import Sights


def test_writes_that_overlap_do_not_see_each_other() -> None:
    """Each sees what there was when it began, and its own rows."""
    sights = Sights()
    first = sights.begin(2)
    first.own.add(2)
    second = sights.begin(3)
    second.own.add(3)
    assert (first.seen(range(4)), second.seen(range(4))) == ([0, 1, 2], [0, 1, 3])
    sights.end(first)
    assert second.seen(range(4)) == [0, 1, 3]  # it began while the first was under way
    third = sights.begin(4)
    assert third.seen(range(4)) == [0, 1, 2]
    sights.end(second)
    sights.end(second)
    assert sights.begin(4).seen(range(4)) == [0, 1, 2, 3]
