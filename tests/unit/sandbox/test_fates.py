"""Tests of what became of leads."""

from syncengine.sandbox.fates import Fates


def test_the_winner_of_the_winner_inherits() -> None:
    """Merges are followed to their end, and null has no heir."""
    fates = Fates()
    assert fates.heirs([1, None]) == [1, None]
    fates.merge(2, 1)
    fates.merge(3, 2)
    assert fates.heirs([1, 2, 3, 4, None]) == [3, 3, 3, 4, None]
    assert fates.gone == {1, 2}


def test_a_deleted_lead_has_no_heir() -> None:
    """It is gone, and what named it goes on naming it."""
    fates = Fates()
    fates.delete(1)
    assert (fates.heir(1), fates.gone, fates.has_merges) == (1, {1}, False)
