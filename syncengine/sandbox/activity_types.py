"""The instance's activity types and the texts of their attributes; separate because it is a table.

"Merge Leads" and "Delete Lead" have no share: they are written when that happens to a lead. Of the custom types one is
a draft, which activities/types.json does not know.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/activities
"""

from dataclasses import dataclass
from typing import Any

import orjson

from syncengine.sandbox.hostile import HOSTILE_TEXTS


@dataclass(frozen=True, slots=True)
class ActivityType:
    """A type with its primary attribute, its other attributes, and its share of all activities."""

    id: int
    name: str
    description: str
    primary: tuple[str, str] | None
    attributes: tuple[tuple[str, str], ...]
    weight: int
    api_name: str = ""

    def described(self) -> dict[str, Any]:
        """The entry of activities/types.json; custom types carry an apiName."""
        entry: dict[str, Any] = {"id": self.id, "name": self.name, "description": self.description}
        if self.api_name:
            entry["apiName"] = self.api_name
        if self.primary is not None:
            entry["primaryAttribute"] = {"name": self.primary[0], "dataType": self.primary[1]}
        entry["attributes"] = [{"name": name, "dataType": data_type} for name, data_type in self.attributes]
        return entry


MAIL = (("Campaign Run ID", "integer"), ("Choice Number", "integer"), ("Step ID", "integer"))
CLIENT = (("Device", "string"), ("Platform", "string"), ("User Agent", "string"), ("Is Mobile Device", "boolean"))
WEB = (
    ("Client IP Address", "string"),
    ("Query Parameters", "string"),
    ("Referrer URL", "string"),
    ("User Agent", "string"),
)

ACTIVITY_TYPES: tuple[ActivityType, ...] = (
    ActivityType(
        1,
        "Visit Webpage",
        "User visits a web page",
        ("Webpage ID", "integer"),
        (*WEB, ("Search Engine", "string"), ("Search Query", "string"), ("Webpage URL", "string")),
        26,
    ),
    ActivityType(
        2,
        "Fill Out Form",
        "User fills out and submits form on web page",
        ("Webform ID", "integer"),
        (*WEB, ("Form Fields", "text"), ("Webpage ID", "integer")),
        6,
    ),
    ActivityType(6, "Send Email", "Send Marketo Email to a person", ("Mailing ID", "integer"), MAIL, 16),
    ActivityType(7, "Email Delivered", "Marketo Email is delivered", ("Mailing ID", "integer"), MAIL, 15),
    ActivityType(10, "Open Email", "User opens Marketo Email", ("Mailing ID", "integer"), (*MAIL, *CLIENT), 9),
    ActivityType(
        11,
        "Click Email",
        "User clicks on a link in a Marketo Email",
        ("Mailing ID", "integer"),
        (*MAIL, *CLIENT, ("Link", "string"), ("Link ID", "string")),
        4,
    ),
    ActivityType(
        12,
        "New Lead",
        "New person is added",
        None,
        (("Created Date", "date"), ("Form Name", "string"), ("Lead Source", "string"), ("Source Type", "string")),
        5,
    ),
    ActivityType(
        13,
        "Change Data Value",
        "Changed attribute value for a person record",
        ("Attribute Name", "string"),
        (
            ("API Method Name", "string"),
            ("New Value", "string"),
            ("Old Value", "string"),
            ("Reason", "string"),
            ("Request Id", "string"),
            ("Source", "string"),
        ),
        10,
    ),
    ActivityType(
        22,
        "Change Score",
        "Modify the score of a person",
        ("Score Name", "string"),
        (
            ("Change Value", "string"),
            ("New Value", "integer"),
            ("Old Value", "integer"),
            ("Priority", "integer"),
            ("Reason", "string"),
            ("Relative Score", "float"),
        ),
        5,
    ),
    ActivityType(
        32,
        "Merge Leads",
        "Merge two or more people into a single record",
        ("Lead ID", "integer"),
        (("Master Updated", "boolean"), ("Merge Fields", "text"), ("Merge IDs", "string"), ("Merge Source", "string")),
        0,
    ),
    ActivityType(37, "Delete Lead", "Person record is deleted", ("Lead ID", "integer"), (), 0),
    ActivityType(
        46,
        "Interesting Moment",
        "Interesting Moment happened",
        ("Milestone Type", "string"),
        (("Date", "datetime"), ("Description", "text"), ("Source", "string")),
        3,
    ),
    ActivityType(
        100001,
        "Attended Tasting",
        "A person came to a tasting",
        ("Tasting Name", "string"),
        (("Guests", "integer"), ("Remark", "text"), ("Revenue", "currency"), ("Returned", "boolean")),
        1,
        "attendedTasting_c",
    ),
)

MERGE_LEADS = 32
DELETE_LEAD = 37
NEW_LEAD = 12
CHANGE_DATA_VALUE = 13


@dataclass(frozen=True, slots=True)
class CustomActivityType:
    """What the metadata API knows of a custom type besides the type itself."""

    type: ActivityType
    trigger_name: str
    filter_name: str
    status: str

    def described(self, made_at: str, *, with_attributes: bool) -> dict[str, Any]:
        """The entry of activities/external/types.json, or of a type's describe call, which has the attributes."""
        kind = self.type
        entry: dict[str, Any] = {
            "id": kind.id,
            "apiName": kind.api_name,
            "name": kind.name,
            "description": kind.description,
            "triggerName": self.trigger_name,
            "filterName": self.filter_name,
            "createdAt": made_at,
            "updatedAt": made_at,
            "status": self.status,
        }
        if with_attributes and kind.primary is not None:
            entry["primaryAttribute"] = _attribute(*kind.primary)
            entry["attributes"] = [_attribute(*one) for one in kind.attributes]
        return entry


def api_name_of(attribute: str) -> str:
    """The API name of a custom attribute."""
    first, *rest = attribute.split(" ")
    return first.lower() + "".join(rest)


def _attribute(name: str, data_type: str) -> dict[str, Any]:
    return {"apiName": api_name_of(name), "name": name, "description": "", "dataType": data_type}


CUSTOM_ACTIVITY_TYPES: tuple[CustomActivityType, ...] = (
    CustomActivityType(ACTIVITY_TYPES[-1], "Attends Tasting", "Attended Tasting", "approved with draft"),
    CustomActivityType(
        ActivityType(
            100002,
            "Return Glass",
            "Not approved yet",
            ("Glass", "string"),
            (("Broken", "boolean"),),
            0,
            "returnGlass_c",
        ),
        "Returns Glass",
        "Returned Glass",
        "draft",
    ),
)

VARIANTS = 48


def attribute_texts(kind: ActivityType) -> list[str]:
    """Variants of the type's attributes as JSON text; an empty attribute is left out, a boolean may be 0 or 1."""
    variants = []
    for number in range(VARIANTS):
        values: dict[str, Any] = {}
        for place, (name, data_type) in enumerate(kind.attributes):
            value = _attribute_value(data_type, number * 7 + place * 5)
            if value is not None:
                values[name] = value
        variants.append(orjson.dumps(values).decode())
    return variants


def _attribute_value(data_type: str, number: int) -> Any:  # noqa: PLR0911  # a return for each type
    if number % 6 == 1:
        return None
    if data_type == "integer":
        return number * 13
    if data_type in {"float", "currency"}:
        return number + 0.25
    if data_type == "boolean":
        return (True, False, 1, 0)[number % 4]
    if data_type == "date":
        return f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
    if data_type == "datetime":
        return f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}T10:00:00Z"
    return HOSTILE_TEXTS[number % len(HOSTILE_TEXTS)]
