"""The instance's twelve activity types and the texts of their attributes; separate because it is a table.

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
        4,
    ),
    ActivityType(
        32,
        "Merge Leads",
        "Merge two or more people into a single record",
        ("Lead ID", "integer"),
        (("Master Updated", "boolean"), ("Merge Fields", "text"), ("Merge IDs", "string"), ("Merge Source", "string")),
        1,
    ),
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
