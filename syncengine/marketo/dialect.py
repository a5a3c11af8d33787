"""The CSV of Marketo's bulk files, both ways, and Marketo's type names as ours.

Apart from the parsers and writers, which know bytes and columns: what a file means is Marketo's affair.

Export files are RFC 4180 in UTF-8 with a header line and LF between records. Cells are quoted only where needed, a
quote inside is doubled, and a quoted cell may hold any character: LF, CR, U+2028, commas, JSON. A field without a value
is the bare word null; quoted, the same word is a value, so the quotes have to survive until the cell is read. Import
files take the same dialect; an empty cell there may clear the field, as a REST write of null or "" does.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-lead-extract
"""

from typing import Final

from syncengine.schema import Field, FieldType

ENCODING: Final = "utf-8"
DELIMITER: Final = ","
QUOTE: Final = '"'  # doubled inside a quoted cell; there is no other escape
LINE_END: Final = "\n"
NULL: Final = "null"  # in exports and only unquoted
TRUE: Final = "true"
FALSE: Final = "false"

# SSV is "semicolon" on some of Adobe's pages and "space" on others: only CSV is asked for.
FORMAT: Final = "CSV"

# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
# The names are those that describe and activity types answer with, folded by `folded`.
TYPES: Final = {
    "boolean": FieldType.BOOLEAN,
    "checkbox": FieldType.BOOLEAN,
    "currency": FieldType.FLOAT,
    "date": FieldType.DATE,
    "datetime": FieldType.TIMESTAMP,
    "email": FieldType.TEXT,
    "float": FieldType.FLOAT,
    "formula": FieldType.TEXT,
    "int": FieldType.INTEGER,
    "integer": FieldType.INTEGER,
    "leadfunction": FieldType.TEXT,
    "number": FieldType.FLOAT,
    # Documented as an integer, but values such as 12.5 occur in exports and must not be cut.
    "percent": FieldType.FLOAT,
    "phone": FieldType.TEXT,
    "reference": FieldType.TEXT,
    "score": FieldType.INTEGER,
    "string": FieldType.TEXT,
    "text": FieldType.TEXT,
    "textarea": FieldType.TEXT,
    "url": FieldType.TEXT,
}

# Adobe's page on field types says of formula fields alone that they are not exported; references and all else are.
NEVER_EXPORTED: Final = frozenset({"formula"})

# The columns that an activity export has when none are asked for.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-activity-extract
ACTIVITY_COLUMNS: Final = (
    Field("marketoGUID", FieldType.TEXT),
    Field("leadId", FieldType.INTEGER),
    Field("activityDate", FieldType.TIMESTAMP),
    Field("activityTypeId", FieldType.INTEGER),
    Field("campaignId", FieldType.INTEGER),
    Field("primaryAttributeValueId", FieldType.INTEGER),
    Field("primaryAttributeValue", FieldType.TEXT),
    Field("attributes", FieldType.JSON),
)


def field_type(data_type: str) -> FieldType:
    """The neutral type of a Marketo type; one that is not known travels as text, which loses nothing."""
    return TYPES.get(folded(data_type), FieldType.TEXT)


def is_exportable(data_type: str) -> bool:
    """Whether bulk export gives fields of this type."""
    return folded(data_type) not in NEVER_EXPORTED


def folded(data_type: str) -> str:
    """A type name without case, blanks and underscores: pages and answers write one type in several ways."""
    return data_type.casefold().replace("_", "").replace(" ", "").replace("-", "")
