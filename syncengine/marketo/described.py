"""What describe says of an object: its keys, what it can be searched by, and its fields.

Apart from `rows`, as all objects but leads answer in this one form. Where Adobe's pages and definitions name a member
in two ways (`name` and `apiName`, `relatedTo` and `object`), both are read.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.marketo.dialect import field_type
from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import LeadField, api_name_in_path, count, listed, mapping, text
from syncengine.schema import Field

LEAD = "lead"


@dataclass(frozen=True, slots=True)
class ObjectField:
    """A field of an object; `name` is its REST name, `data_type` Marketo's word, `length` in characters."""

    name: str
    display_name: str
    data_type: str
    length: int | None
    updateable: bool
    crm_managed: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """An object as describe shows it.

    `id_field` is Marketo's own key and empty where an object has none (program members). `dedupe_fields` together are
    the other key. Each entry of `searchable_fields` is one way to search: one field, or several that are a compound
    key.
    """

    name: str
    id_field: str
    dedupe_fields: tuple[str, ...]
    searchable_fields: tuple[tuple[str, ...], ...]
    fields: tuple[ObjectField, ...]

    @property
    def columns(self) -> tuple[Field, ...]:
        """The fields as columns, in Marketo's order."""
        return tuple(Field(each.name, field_type(each.data_type)) for each in self.fields)

    def searched_by(self, name: str) -> bool:
        """Whether this one field can be searched by."""
        return (name,) in self.searchable_fields


@dataclass(frozen=True, slots=True)
class Relationship:
    """A field of a custom object that holds a key of another object."""

    field: str
    type: str
    related_object: str
    related_field: str


@dataclass(frozen=True, slots=True)
class CustomObject:
    """A custom object type of this instance; `name` may enter a path. `state` is empty where Marketo does not say."""

    name: str
    display_name: str
    state: str
    id_field: str
    dedupe_fields: tuple[str, ...]
    relationships: tuple[Relationship, ...]

    @property
    def lead_fields(self) -> tuple[str, ...]:
        """The fields that link it to leads; bulk export gives only objects that have one.

        https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-custom-object-extract
        """
        return tuple(each.field for each in self.relationships if each.related_object.casefold() == LEAD)


def described(row: object) -> Described:
    """One row of a describe answer; Malformed when it names no field, as all rows would then be empty."""
    stated = mapping(row)
    fields = tuple(object_field(each) for each in listed(stated.get("fields")) if has_name(each))
    if not fields:
        raise Malformed("describe named no field of an object")
    return Described(
        name=text(stated.get("name")) or text(stated.get("apiName")),
        id_field=text(stated.get("idField")),
        dedupe_fields=names(stated.get("dedupeFields")),
        searchable_fields=tuple(
            found for each in listed(stated.get("searchableFields")) if (found := names([each] if text(each) else each))
        ),
        fields=fields,
    )


def custom_object_type(row: object) -> CustomObject:
    """One row of the list of custom objects; Malformed without a name that can be asked for."""
    stated = mapping(row)
    return CustomObject(
        name=api_name_in_path(text(stated.get("name")) or text(stated.get("apiName"))),
        display_name=text(stated.get("displayName")),
        state=text(stated.get("state")),
        id_field=text(stated.get("idField")),
        dedupe_fields=names(stated.get("dedupeFields")),
        relationships=tuple(relationship(each) for each in listed(stated.get("relationships"))),
    )


def field_rows(owner: str, fields: Iterable[ObjectField | LeadField]) -> tuple[Mapping[str, Any], ...]:
    """Fields as rows of FIELD_COLUMNS, where `owner` is the object they belong to."""
    return tuple(
        {
            "object": owner,
            "name": each.name,
            "displayName": each.display_name,
            "dataType": each.data_type,
            "length": each.length,
            "updateable": each.updateable if isinstance(each, ObjectField) else not each.read_only,
            "crmManaged": each.crm_managed if isinstance(each, ObjectField) else None,
        }
        for each in fields
    )


def object_field(stated: Mapping[str, Any]) -> ObjectField:
    """One field that has a name."""
    return ObjectField(
        name=stated["name"],
        display_name=text(stated.get("displayName")) or stated["name"],
        data_type=text(stated.get("dataType")),
        length=count(stated.get("length")),
        updateable=stated.get("updateable") is True,
        crm_managed=stated.get("crmManaged") is True,
    )


def relationship(row: object) -> Relationship:
    """One relationship; what is not said in it stays empty."""
    stated = mapping(row)
    related = mapping(stated.get("relatedTo") or stated.get("object") or {})
    return Relationship(
        field=text(stated.get("field")),
        type=text(stated.get("type")),
        related_object=text(related.get("name")),
        related_field=text(related.get("field")),
    )


def has_name(stated: object) -> bool:
    """Whether this is a field with a name."""
    return isinstance(stated, dict) and text(stated.get("name")) != ""


def names(stated: object) -> tuple[str, ...]:
    """The texts of a list that are not empty."""
    return tuple(each for each in listed(stated) if text(each))
