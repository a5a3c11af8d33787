"""What a stream's rows tell about leads: which were deleted, and which were merged into another.

Apart from the load, which only passes it on. Deleted leads come as a stream of their own; a merge is an activity of
type 32 on the lead that remained, and the leads that it names are in no list of deleted ones.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from syncengine.destinations import MARKS
from syncengine.marketo.merges import MERGE_LEADS, merged_ids

if TYPE_CHECKING:
    import pyarrow as pa

MARKED = "leads"


class Marking:
    """Notes marks while rows pass by, and gives them when all have passed."""

    def __init__(self, kind: Literal["deletions", "merges"]) -> None:
        self._kind = kind
        self._marks: dict[int, tuple[datetime | None, int | None]] = {}

    def watch(self, batches: Iterable["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        """The same batches; columns that the configuration leaves out tell nothing."""
        for batch in batches:
            if self._kind == "deletions":
                self._deletions(batch)
            elif {"activityTypeId", "attributes", "leadId"} <= set(batch.schema.names):
                self._merges(batch)
            yield batch

    def batches(self) -> Iterator["pa.RecordBatch"]:
        """The marks as one batch, or none."""
        import pyarrow as pa

        if not self._marks:
            return
        deleted, merged = zip(*self._marks.values(), strict=True)
        schema = MARKS.arrow()
        columns = [
            pa.array(values, field.type)
            for values, field in zip((list(self._marks), deleted, merged), schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _deletions(self, batch: "pa.RecordBatch") -> None:
        dates = batch.column("activityDate").to_pylist() if "activityDate" in batch.schema.names else []
        for row, lead_id in enumerate(batch.column("leadId").to_pylist()):
            if lead_id is not None:
                self._marks[lead_id] = (dates[row] if dates else None, None)

    def _merges(self, batch: "pa.RecordBatch") -> None:
        types = batch.column("activityTypeId").to_pylist()
        if MERGE_LEADS not in types:
            return
        merges = batch.take([row for row, kind in enumerate(types) if kind == MERGE_LEADS])
        winners, attributes = merges.column("leadId").to_pylist(), merges.column("attributes").to_pylist()
        for winner, stated in zip(winners, attributes, strict=True):
            for loser in merged_ids(stated or "", winner=winner):
                self._marks[loser] = (None, winner)
