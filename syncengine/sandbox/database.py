"""Everything that the instance knows, in one value; separate from the instance, which only judges and dispatches."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import orjson

from syncengine.sandbox.activities import Activities
from syncengine.sandbox.activity_rows import ActivityRows
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.custom_objects import CustomObjects
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.generated import GeneratedPeople
from syncengine.sandbox.lists import PARTITIONS, StaticLists, campaigns_of
from syncengine.sandbox.loaded import LoadedPeople
from syncengine.sandbox.objects import tables_of
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import People
from syncengine.sandbox.programs import Members, asset, programs_of
from syncengine.sandbox.records import Records


class Database:
    """Leads, activities, programs, lists and objects of one instance."""

    def __init__(self, options: SandboxOptions) -> None:
        source: GeneratedPeople | LoadedPeople
        if options.leads_from is not None:
            source = LoadedPeople(options.leads_from)
            count = source.count
        else:
            source = GeneratedPeople(
                options.seed,
                start=int(options.start_seconds),
                years=options.years,
                companies=options.companies,
                salespersons=options.salespersons,
            )
            count = options.leads
        self.options = options
        self.fates = Fates()
        self.people = People(source, options, count, self.fates)
        self.activities = Activities(options, count, self.fates)
        self.log = ActivityRows(self.activities, self.people, options.seed)
        self.programs = programs_of(options)
        self.programs.written = lambda values: asset(values) | {"folder": self.assets.program_folder(values["id"])}
        self.members = Members(options, self.programs, self.fates, count)
        self.lists = StaticLists(options, self.programs, self.people)
        self.campaigns = campaigns_of(options, self.programs)
        self.objects = tables_of(options, self.fates, count)
        self.custom = CustomObjects(options, self.fates, count)

    @cached_property
    def assets(self) -> AssetStore:
        """The tree of marketing assets, made when it is needed first."""
        return AssetStore(self)

    def table(self, stream: str) -> Records | None:
        """The table of a stream that has one; custom objects as `custom_objects/car_c`."""
        tables = {
            **self.objects,
            "programs": self.programs,
            "program_members": self.members.records,
            "lists": self.lists.records,
            "campaigns": self.campaigns,
        }
        tables |= {f"custom_objects/{name}": table for name, table in self.custom.tables.items()}
        return tables.get(stream)

    def truth(self, stream: str, now: float) -> Iterator[bytes] | None:
        """What a stream holds at `now`, as JSON lines; None for a stream that there is not."""
        own: dict[str, Callable[[], Iterator[bytes]]] = {
            "leads": self.people.truth,
            "activities": lambda: self.activities.truth(now),
            "deleted_leads": self.log.deletions_truth,
            "lead_changes": lambda: self.log.changes_truth(now),
            "list_members": self.lists.truth,
            "partitions": lambda: _lines(PARTITIONS),
            "duplicate_leads": lambda: _lines({"email": key, "ids": ids} for key, ids in self.people.duplicates()),
        }
        if stream in own:
            return own[stream]()
        table = self.table(stream)
        return None if table is None else table.truth()


def _lines(rows: Any) -> Iterator[bytes]:
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
