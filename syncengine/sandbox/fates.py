"""What became of leads: deleted, or merged into another; separate because every table that names a lead asks it.

A merge combines activity logs and the memberships of programs and lists, so whatever named the losing lead names the
winner from then on: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
"""

from collections.abc import Sequence

from syncengine.sandbox.values import Value


class Fates:
    """Leads that are gone, and who took their place."""

    def __init__(self) -> None:
        self.gone: set[int] = set()
        self._winners: dict[int, int] = {}

    @property
    def has_merges(self) -> bool:
        """Some lead has lost to another."""
        return bool(self._winners)

    def delete(self, lead_id: int) -> None:
        """The lead is deleted."""
        self.gone.add(lead_id)

    def merge(self, winner: int, loser: int) -> None:
        """The loser is gone, and the winner stands for it."""
        self.gone.add(loser)
        self._winners[loser] = winner

    def heir(self, lead_id: int) -> int:
        """The lead that stands for this one; itself for most."""
        while lead_id in self._winners:
            lead_id = self._winners[lead_id]
        return lead_id

    def heirs(self, lead_ids: Sequence[Value]) -> list[Value]:
        """The heirs of a column of ids."""
        if not self._winners:
            return list(lead_ids)
        return [None if lead_id is None else self.heir(int(lead_id)) for lead_id in lead_ids]
