"""Describe calls and lists of types: what an instance says of its own schema.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/lead-database
"""

from functools import partial
from typing import Any

from syncengine.sandbox.activity_types import ACTIVITY_TYPES, CUSTOM_ACTIVITY_TYPES
from syncengine.sandbox.custom_objects import ObjectType
from syncengine.sandbox.database import Database
from syncengine.sandbox.fields import searchable_names
from syncengine.sandbox.lists import PARTITIONS
from syncengine.sandbox.page import Endpoint, Page
from syncengine.sandbox.parameters import flag, parts
from syncengine.sandbox.programs import MEMBER_FIELDS, SEARCHABLE_MEMBER_FIELDS
from syncengine.sandbox.replies import invalid, refusal
from syncengine.sandbox.routes import Call
from syncengine.sandbox.shapes import SHAPES
from syncengine.sandbox.values import utc_formatter

STATES = ("draft", "approved", "approvedWithDraft")


class Metadata:
    """Answers from the schema alone."""

    def __init__(self, data: Database) -> None:
        self._data = data
        self._start = data.options.start_seconds
        self._made_at = utc_formatter()(int(self._start) - 200_000_000)

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        objects = {f"{name}.describe": partial(self._object, name) for name in SHAPES if name != "named_account_lists"}
        return {
            **objects,
            "describe": lambda _call, _now: Page([field.described() for field in self._data.people.described]),
            "describe2": self._describe2,
            "partitions": lambda _call, _now: Page(PARTITIONS),
            "activity_types": lambda _call, _now: Page([kind.described() for kind in ACTIVITY_TYPES]),
            "activities.external_types": self._external_types,
            "activities.external_type": self._external_type,
            "program_members.describe": self._members,
            "custom_objects.list": self._custom_objects,
            "custom_objects.describe": self._custom_object,
            "custom_objects.schema": self._schemas,
            "custom_objects.schema_describe": self._schema,
        }

    def _describe2(self, _call: Call, _now: float) -> Page:
        fields = self._data.people.fields
        return Page(
            [
                {
                    "name": "API Lead",
                    "searchableFields": [[name] for name in searchable_names(fields.values())],
                    "fields": [field.described2() for field in fields.values()],
                }
            ]
        )

    def _object(self, name: str, _call: Call, _now: float) -> Page:
        shape = SHAPES[name]
        if shape.is_of_crm and self._data.options.crm:
            raise refusal("1018")
        return Page([shape.described(self._start)])

    def _members(self, _call: Call, _now: float) -> Page:
        return Page(
            [
                {
                    "name": "API Program Membership",
                    "description": "Map for API program membership fields",
                    "createdAt": self._made_at,
                    "updatedAt": self._made_at,
                    "dedupeFields": ["leadId", "programId"],
                    "searchableFields": [[name] for name in SEARCHABLE_MEMBER_FIELDS],
                    "fields": [field.described() for field in MEMBER_FIELDS],
                }
            ]
        )

    def _external_types(self, _call: Call, _now: float) -> Page:
        return Page([kind.described(self._made_at, with_attributes=False) for kind in CUSTOM_ACTIVITY_TYPES])

    def _external_type(self, call: Call, _now: float) -> Page:
        wants_draft = flag(call.query.get("draft") or "false")
        for kind in CUSTOM_ACTIVITY_TYPES:
            if kind.type.api_name == call.path["apiName"]:
                # A type that was never approved has no other version than its draft.
                has_version = "draft" in kind.status if wants_draft else kind.status != "draft"
                if has_version:
                    return Page([kind.described(self._made_at, with_attributes=True)])
        raise refusal("1013")

    def _custom_objects(self, call: Call, _now: float) -> Page:
        return Page([self._shown(kind, with_fields=False) for kind in self._named(call)])

    def _custom_object(self, call: Call, _now: float) -> Page:
        return Page([self._shown(self._type(call.path["customObjectName"]), with_fields=True)])

    def _schemas(self, call: Call, _now: float) -> Page:
        return Page([self._schema_of(kind) for kind in self._named(call) if self._is_in_state(kind, call)])

    def _schema(self, call: Call, _now: float) -> Page:
        kind = self._type(call.path["apiName"])
        if not self._is_in_state(kind, call):
            raise refusal("1013")
        return Page([self._schema_of(kind)])

    def _named(self, call: Call) -> list[ObjectType]:
        names = parts(call.query, "names")
        return [kind for kind in self._data.custom.types.values() if not names or kind.name in names]

    def _type(self, name: str) -> ObjectType:
        kind = self._data.custom.types.get(name)
        if kind is None:
            raise refusal("1013")
        return kind

    def _is_in_state(self, kind: ObjectType, call: Call) -> bool:
        state = call.query.get("state") or kind.state
        if state not in STATES:
            raise invalid(f"Invalid state: {state}")
        return kind.state == state

    def _shown(self, kind: ObjectType, *, with_fields: bool) -> dict[str, Any]:
        return kind.described(start=self._start, with_fields=with_fields)

    def _schema_of(self, kind: ObjectType) -> dict[str, Any]:
        return kind.described(start=self._start, with_fields=True, as_schema=True)
