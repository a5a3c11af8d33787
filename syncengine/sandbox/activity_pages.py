"""Activities, lead changes and deleted leads by paging token, from a date onward.

Theory. The server reads the log in the order of (date, id), a block a call, and keeps what was asked for; so a page can
be short or empty while `moreResult` is true. Which pages are short on purpose follows from the seed. A row that is not
visible when the reader passes its date is passed for good: the token of the last page stands at the present.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/activities
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from syncengine.sandbox.activities import FIRST_ACTIVITY_ID, Activities
from syncengine.sandbox.activity_rows import CHANGE_TYPES, Row
from syncengine.sandbox.activity_types import NEW_LEAD
from syncengine.sandbox.database import Database
from syncengine.sandbox.draws import row_key, share
from syncengine.sandbox.page import Endpoint, Page
from syncengine.sandbox.paging import PagingTokens
from syncengine.sandbox.parameters import batch_size, parts, required, whole, whole_parts
from syncengine.sandbox.replies import Refusal, invalid, refusal
from syncengine.sandbox.routes import Call

SCOPE = "activities"
BLOCK_ROWS = 1_000
TYPES_MAX = 10
LEADS_MAX = 30
# From this instant on a list of so many leads is refused: 2026-12-30.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/migration
BIG_LISTS_END_AT = 1_798_588_800
BIG_LIST_LEADS = 10_000
FOREVER_ROW = 1 << 60
EMPTY_SHARE, SHORT_SHARE = 0.12, 0.35

Keep = Callable[[Sequence[int], Sequence[Row]], list[Row]]


class ActivityPages:
    """Answers the activity family."""

    def __init__(self, data: Database, tokens: PagingTokens) -> None:
        self._data = data
        self._tokens = tokens
        self._activities: Activities = data.activities
        self._seed = data.options.seed + 7
        self._log = data.log

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            "activities.paging_token": self._paging_token,
            "activities.page": self._page_of_activities,
            "lead_changes.page": self._page_of_changes,
            "deleted_leads.page": self._page_of_deletions,
        }

    def _paging_token(self, call: Call, now: float) -> Page:
        text = required(call.query, "sinceDatetime")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(f"Invalid value '{text[:64]}' for sinceDatetime") from None
        if moment.tzinfo is None:
            raise invalid("sinceDatetime needs an offset or Z")
        # Only what lies behind the datetime is retrieved, not what bears it.
        place = (int(moment.timestamp()), FOREVER_ROW, 0, 0)
        return Page(None, {"nextPageToken": self._tokens.issue(SCOPE, place, now)})

    def _page_of_activities(self, call: Call, now: float) -> Page:
        type_ids = set(whole_parts(call.query, "activityTypeIds", TYPES_MAX))
        keeps_lead = self._lead_filter(call.query, now)

        def keep(rows: Sequence[int], shown: Sequence[Row]) -> list[Row]:
            return [
                self._log.activity(row, values)
                for row, values in zip(rows, shown, strict=True)
                if values["activityTypeId"] in type_ids and keeps_lead(values["leadId"])
            ]

        return self._page(call, now, keep)

    def _page_of_changes(self, call: Call, now: float) -> Page:
        people = self._data.people
        names = set(parts(call.query, "fields"))
        for name in sorted(names):
            if name not in people.fields:
                raise refusal("1006", name)
        keeps_lead = self._lead_filter(call.query, now)

        def keep(rows: Sequence[int], shown: Sequence[Row]) -> list[Row]:
            changes = [
                self._log.change(row, values)
                for row, values in zip(rows, shown, strict=True)
                if values["activityTypeId"] in CHANGE_TYPES and keeps_lead(values["leadId"])
            ]
            return [
                change
                for change in changes
                if change["activityTypeId"] == NEW_LEAD or any(one["name"] in names for one in change["fields"])
            ]

        return self._page(call, now, keep)

    def _page_of_deletions(self, call: Call, now: float) -> Page:
        def keep(rows: Sequence[int], shown: Sequence[Row]) -> list[Row]:
            return [self._log.deletion(row, values) for row, values in zip(rows, shown, strict=True)]

        return self._page(call, now, keep, deletions=True)

    def _page(self, call: Call, now: float, keep: Keep, *, deletions: bool = False) -> Page:
        size = batch_size(call.query)
        date, after_row, number, was_empty = self._tokens.read(SCOPE, required(call.query, "nextPageToken"), now)
        block = self._activities.after(date, after_row, BLOCK_ROWS, deletions=deletions)
        has_more = len(block) == BLOCK_ROWS
        past = [(stamp, row) for stamp, row in block if stamp <= now]
        has_more = has_more and len(past) == len(block)
        rows = [row for _, row in past if self._activities.visible_at(row) <= now]
        kept = keep(rows, self._log.values(rows))
        draw = share("page", row_key(self._seed + number, date * 31 + after_row))
        if kept and not was_empty and draw < EMPTY_SHARE:
            # Nothing was found in this block: then there may be no `result` at all.
            return self._shown(None, (date, after_row, number + 1, 1), now, has_more=True)
        most = max(1, size // 3) if draw < SHORT_SHARE else size
        if len(kept) > most:
            kept = kept[:most]
            last_row = int(kept[-1]["id"]) - FIRST_ACTIVITY_ID
            place = next(one for one in past if one[1] == last_row)
            return self._shown(kept, (*place, number + 1, 0), now, has_more=True)
        place = past[-1] if past else (date, after_row)
        if not has_more:
            # Whatever is dated before this second is behind the reader now, however late it comes.
            place = max(place, (int(now) - 1, FOREVER_ROW))
        return self._shown(kept, (*place, number + 1, 0), now, has_more=has_more)

    def _shown(self, result: list[Row] | None, place: tuple[int, ...], now: float, *, has_more: bool) -> Page:
        return Page(result, {"nextPageToken": self._tokens.issue(SCOPE, place, now), "moreResult": has_more})

    def _lead_filter(self, query: Mapping[str, str], now: float) -> Callable[[int], bool]:
        """Which leads' activities are wanted."""
        lead_ids = set(whole_parts(query, "leadIds", LEADS_MAX))
        list_text = query.get("listId", "")
        if lead_ids and list_text:
            raise Refusal("1003", "leadIds and listId cannot be used together")
        if lead_ids:
            return lead_ids.__contains__
        if not list_text:
            return lambda _lead_id: True
        row = self._data.lists.find("id", whole(list_text))
        if row is None:
            raise refusal("1013")
        if now >= BIG_LISTS_END_AT and sum(1 for _ in self._data.lists.members(row)) >= BIG_LIST_LEADS:
            raise invalid("List size exceeds the limit")
        return self._data.lists.has(row)
