"""The instance's custom objects: four types, and the rows of those that are approved.

`car_c` and `purchase_c` are linked to leads and can be exported in bulk; `purchase_c` has a compound key and a draft
beside its approved version. `plant_c` is linked to companies: bulk export takes only objects at the first level, linked
to leads. `idea_c` is a draft without rows.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/custom-objects
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-custom-object-extract
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.draws import numbers, picks
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.generated import Column, company_key, pooled, texts
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR
from syncengine.sandbox.records import ObjectField, Records, births, guids, parsed_fields, touches
from syncengine.sandbox.values import Value, utc_formatter

SYSTEM_FIELDS = """
createdAt|Created At|datetime*
marketoGUID|Marketo GUID|string*|36
updatedAt|Updated At|datetime*
"""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of custom object; `link` is its field, the object that it points at, and the field there."""

    name: str
    label: str
    description: str
    state: str
    dedupe: tuple[str, ...]
    searchable: tuple[tuple[str, ...], ...]
    link: tuple[str, str, str] | None
    fields: tuple[ObjectField, ...]

    @property
    def is_approved(self) -> bool:
        """Records of the type can be read."""
        return self.state != "draft"

    @property
    def is_exportable(self) -> bool:
        """The type is linked to leads directly."""
        return self.is_approved and self.link is not None and self.link[1] == "Lead"

    def described(self, *, start: float, with_fields: bool, as_schema: bool = False) -> dict[str, Any]:
        """The type as describe or list shows it; the metadata API calls the name `apiName` and adds the state."""
        made_at = utc_formatter()(int(start) - 30_000_000)
        shown: dict[str, Any] = {"apiName" if as_schema else "name": self.name}
        if as_schema:
            shown["pluralName"] = f"{self.label}s"
        shown["state"] = self.state
        shown["version"] = "approved" if self.is_approved else "draft"
        shown |= {
            "displayName": self.label,
            "description": self.description,
            "createdAt": made_at,
            "updatedAt": made_at,
            "idField": "marketoGUID",
            "dedupeFields": list(self.dedupe),
            "searchableFields": [list(names) for names in self.searchable],
            "relationships": [],
        }
        if self.link is not None:
            field, name, target = self.link
            shown["relationships"] = [{"field": field, "type": "child", "relatedTo": {"name": name, "field": target}}]
        if with_fields:
            shown["fields"] = [field.described() for field in self.fields]
        return shown


CAR = ObjectType(
    "car_c",
    "Car",
    "It's a car.",
    "approved",
    ("vIN",),
    (("vIN",), ("marketoGUID",), ("leadID",)),
    ("leadID", "Lead", "Id"),
    parsed_fields(
        SYSTEM_FIELDS
        + """
color|Color|string
leadID|Lead ID|integer
make|Make|string
model|Model|string
vIN|VIN|string
year|Year|integer
price|Price|currency
isLeased|Is Leased|boolean
boughtOn|Bought On|date
servicedAt|Serviced At|datetime
"""
    ),
)
PURCHASE = ObjectType(
    "purchase_c",
    "Purchase",
    "What was bought, and by whom",
    "approvedWithDraft",
    ("leadId", "productName"),
    (("leadId", "productName"), ("marketoGUID",), ("leadId",)),
    ("leadId", "Lead", "Id"),
    parsed_fields(
        SYSTEM_FIELDS
        + """
leadId|Lead Id|integer
productName|Product Name|string
amount|Amount|float
remark|Remark|text
"""
    ),
)
PLANT = ObjectType(
    "plant_c",
    "Plant",
    "A site of a company",
    "approved",
    ("plantCode",),
    (("plantCode",), ("marketoGUID",), ("companyId",)),
    ("companyId", "Company", "externalCompanyId"),
    parsed_fields(
        SYSTEM_FIELDS
        + """
plantCode|Plant Code|string
companyId|Company Id|string
workers|Workers|integer
"""
    ),
)
IDEA = ObjectType(
    "idea_c",
    "Idea",
    "Not approved yet",
    "draft",
    ("title",),
    (("title",), ("marketoGUID",)),
    None,
    parsed_fields(SYSTEM_FIELDS + "title|Title|string\n"),
)
OBJECT_TYPES = {kind.name: kind for kind in (CAR, PURCHASE, PLANT, IDEA)}
PRODUCTS = ("Chair", "Desk, oak", 'Lamp "Luna"', "Caf\u00e9 table", "Shelf\u2028tall")


class CustomObjects:
    """The types, and a table of rows for each."""

    def __init__(self, options: SandboxOptions, fates: Fates, lead_count: int) -> None:
        self._fates = fates
        self._lead_count = lead_count
        self.types = dict(OBJECT_TYPES)
        self.tables: dict[str, Records] = {}
        for number, kind in enumerate(self.types.values()):
            count = options.custom_object_rows if kind.is_approved else 0
            if kind.link is not None and kind.link[1] == "Lead" and not lead_count:
                count = 0
            columns = self._columns(kind.name, options)
            self.tables[kind.name] = Records(kind.fields, columns, seed=options.seed + 401 + number, count=count)
            if kind.is_exportable and kind.link is not None:
                self.tables[kind.name].is_hidden = self._hider(kind.name, kind.link[0])

    def _hider(self, name: str, link: str) -> Any:
        def hidden(rows: Sequence[int]) -> set[int]:
            gone = self._fates.gone
            if not gone:
                return set()
            linked = self.tables[name].columns([link], rows)[0]
            return {row for row, lead_id in zip(rows, linked, strict=True) if lead_id in gone}

        return hidden

    def _leads(self, _indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        drawn = numbers("lead", keys, max(1, self._lead_count))
        return self._fates.heirs([FIRST_LEAD_ID + number for number in drawn])

    def _columns(self, name: str, options: SandboxOptions) -> dict[str, Column]:
        start, span = int(options.start_seconds), max(1, int(options.years * SECONDS_A_YEAR))
        columns: dict[str, Column] = {
            "createdAt": births(start, span),
            "marketoGUID": guids,
            "updatedAt": touches(start, span),
        }
        if name == CAR.name:
            columns |= {
                "color": texts("color", ("Pearl White", "Red", "Blue, dark"), hostile=0.4),
                "leadID": self._leads,
                "make": texts("make", ("BMW", "Tesla", "Citro\u00ebn")),
                "model": texts("model", ("Model S", '"3" Series', "2CV")),
                "vIN": lambda indices, _keys: [f"5YJSA1E41FF{index:06}" for index in indices],
                "year": pooled("year", (None, *range(1990, 2026))),
                "price": pooled("price", (None, 0.0, 19_999.95, 104_500.0)),
                "isLeased": pooled("isLeased", (True, False, None)),
                "boughtOn": pooled("boughtOn", (None, "2012-02-29", "2024-12-31")),
                "servicedAt": pooled("servicedAt", (None, start - 86_400, start - 5_000_000)),
            }
        elif name == PURCHASE.name:
            columns |= {
                "leadId": self._leads,
                "productName": lambda indices, keys: [
                    f"{word} {index}" for index, word in zip(indices, picks("product", keys, PRODUCTS), strict=True)
                ],
                "amount": pooled("amount", (None, 0.5, 1e-05, 120.25, 99_999.0)),
                "remark": pooled("remark", (None, *HOSTILE_TEXTS)),
            }
        elif name == PLANT.name:
            columns |= {
                "plantCode": lambda indices, _keys: [f"P-{index:05}" for index in indices],
                "companyId": lambda _indices, keys: [
                    company_key(number) for number in numbers("company", keys, max(1, options.companies))
                ],
                "workers": pooled("workers", (None, 0, 12, 4_000)),
            }
        return columns
