"""The columns of what Marketo gives with the same members everywhere, as neutral fields.

Apart from `dialect`, which is about types and files. Names are Marketo's own, in the order of Adobe's definitions;
members that hold lists or objects travel as JSON. Objects whose fields differ between instances have none here: their
columns come from describe (`described.Described.columns`).
https://developer.adobe.com/marketo-apis/api/mapi
"""

from typing import Final

from syncengine.schema import Field, FieldType

# `id` is left out: on instances that use Activity Service it may be absent and does not tell rows apart.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
DELETED_LEAD_COLUMNS: Final = (
    Field("marketoGUID", FieldType.TEXT),
    Field("leadId", FieldType.INTEGER),
    Field("activityDate", FieldType.TIMESTAMP),
    Field("activityTypeId", FieldType.INTEGER),
    Field("campaignId", FieldType.INTEGER),
    Field("primaryAttributeValueId", FieldType.INTEGER),
    Field("primaryAttributeValue", FieldType.TEXT),
    Field("attributes", FieldType.JSON),
)

LEAD_CHANGE_COLUMNS: Final = (
    Field("marketoGUID", FieldType.TEXT),
    Field("leadId", FieldType.INTEGER),
    Field("activityDate", FieldType.TIMESTAMP),
    Field("activityTypeId", FieldType.INTEGER),
    Field("campaignId", FieldType.INTEGER),
    Field("fields", FieldType.JSON),
    Field("attributes", FieldType.JSON),
)

ACTIVITY_TYPE_COLUMNS: Final = (
    Field("id", FieldType.INTEGER),
    Field("name", FieldType.TEXT),
    Field("apiName", FieldType.TEXT),
    Field("description", FieldType.TEXT),
    Field("primaryAttribute", FieldType.JSON),
    Field("attributes", FieldType.JSON),
)

LIST_COLUMNS: Final = (
    Field("id", FieldType.INTEGER),
    Field("name", FieldType.TEXT),
    Field("description", FieldType.TEXT),
    Field("programName", FieldType.TEXT),
    Field("workspaceName", FieldType.TEXT),
    Field("createdAt", FieldType.TIMESTAMP),
    Field("updatedAt", FieldType.TIMESTAMP),
)

CAMPAIGN_COLUMNS: Final = (
    Field("id", FieldType.INTEGER),
    Field("name", FieldType.TEXT),
    Field("description", FieldType.TEXT),
    Field("type", FieldType.TEXT),
    Field("active", FieldType.BOOLEAN),
    Field("programId", FieldType.INTEGER),
    Field("programName", FieldType.TEXT),
    Field("workspaceName", FieldType.TEXT),
    Field("createdAt", FieldType.TIMESTAMP),
    Field("updatedAt", FieldType.TIMESTAMP),
)

# Browsing does not give tags (the page says so), nor costs and dates (its definition lacks them); the columns are here
# for instances that give them all the same, and are null elsewhere.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/programs
PROGRAM_COLUMNS: Final = (
    Field("id", FieldType.INTEGER),
    Field("name", FieldType.TEXT),
    Field("description", FieldType.TEXT),
    Field("type", FieldType.TEXT),
    Field("channel", FieldType.TEXT),
    Field("status", FieldType.TEXT),
    Field("workspace", FieldType.TEXT),
    Field("url", FieldType.TEXT),
    Field("headStart", FieldType.BOOLEAN),
    Field("folder", FieldType.JSON),
    Field("tags", FieldType.JSON),
    Field("costs", FieldType.JSON),
    Field("startDate", FieldType.TIMESTAMP),
    Field("endDate", FieldType.TIMESTAMP),
    Field("sfdcId", FieldType.TEXT),
    Field("sfdcName", FieldType.TEXT),
    Field("createdAt", FieldType.TIMESTAMP),
    Field("updatedAt", FieldType.TIMESTAMP),
)

PARTITION_COLUMNS: Final = (
    Field("id", FieldType.INTEGER),
    Field("name", FieldType.TEXT),
    Field("description", FieldType.TEXT),
)

# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/named-account-lists
NAMED_ACCOUNT_LIST_COLUMNS: Final = (
    Field("marketoGUID", FieldType.TEXT),
    Field("name", FieldType.TEXT),
    Field("type", FieldType.TEXT),
    Field("updateable", FieldType.BOOLEAN),
    Field("createdAt", FieldType.TIMESTAMP),
    Field("updatedAt", FieldType.TIMESTAMP),
)

# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage
USAGE_COLUMNS: Final = (
    Field("date", FieldType.DATE),
    Field("total", FieldType.INTEGER),
    Field("users", FieldType.JSON),
)

# The rows of `described.field_rows`: all fields of all objects in one table; `object` is the one name that is ours.
FIELD_COLUMNS: Final = (
    Field("object", FieldType.TEXT),
    Field("name", FieldType.TEXT),
    Field("displayName", FieldType.TEXT),
    Field("dataType", FieldType.TEXT),
    Field("length", FieldType.INTEGER),
    Field("updateable", FieldType.BOOLEAN),
    Field("crmManaged", FieldType.BOOLEAN),
)
