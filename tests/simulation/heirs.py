"""Which rows lie in chunks that took the place of some rows of another one: the journal only says how many.

Their manifests are gone when a run is closed, so they are read while it is under way.
"""

from collections.abc import Callable
from pathlib import Path

from syncengine.imports.manifest import places
from syncengine.observe.events import ChunkMoved, Event

LETTER = "r"


class Heirs:
    """Watches the events of imports whose working files lie in `folder`; `rows` are the rows of each such chunk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rows: dict[str, frozenset[int]] = {}

    def beside(self, events: list[Event]) -> Callable[[Event], None]:
        """An observer that keeps all events, too."""

        def observe(event: Event) -> None:
            if isinstance(event, ChunkMoved) and event.chunk_id.endswith(LETTER):
                self._read(event.run_id, event.chunk_id)
            events.append(event)

        return observe

    def holder(self, chunk_id: str, row: int) -> str:
        """The chunk that a row of this one went on in, itself if it did not."""
        heir = f"{chunk_id}{LETTER}"
        return self.holder(heir, row) if row in self.rows.get(heir, ()) else chunk_id

    def _read(self, run_id: str, chunk_id: str) -> None:
        manifest = self._folder / run_id / f"{chunk_id.removeprefix(f'{run_id}-')}.arrow"
        if chunk_id not in self.rows and manifest.exists():
            self.rows[chunk_id] = frozenset(place.row for place, _ in places(manifest))
