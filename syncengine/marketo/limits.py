"""Marketo's published limits: names with units, and the page that states each.

One place, so that configuration, planning and checks quote the same figures. Sizes are bytes; where Adobe writes KB or
MB without saying which, the smaller, decimal reading is taken.
"""

from typing import Final

# Calls. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api
CALLS_PER_WINDOW: Final = 100
WINDOW_SECONDS: Final = 20
IN_FLIGHT_MAX: Final = 10
CALLS_PER_DAY: Final = 50_000
URI_BYTES_MAX: Final = 8_000
BODY_BYTES_MAX: Final = 1_000_000

# How long Marketo works on a call before it answers 604; a few calls have longer.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
CALL_SECONDS_MAX: Final = 30
LEADS_BY_FILTER_SECONDS_MAX: Final = 60
SYNC_LEADS_SECONDS_MAX: Final = 90
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
PAGING_TOKEN_SECONDS_MAX: Final = 300
ACTIVITY_TYPES_PER_CALL_MAX: Final = 10
# "Deletions greater than 14 days old may be pruned." https://developer.adobe.com/marketo-apis/api/mapi
DELETED_LEADS_DAYS: Final = 14

# One page says "12:00AM CST", another "midnight Central Time": they differ by an hour in summer, and both must hold.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract
QUOTA_RESET_ZONE: Final = "America/Chicago"
QUOTA_RESET_UTC_HOUR: Final = 6

# A new token's life; asking before its end gives the same token with what remains.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication
TOKEN_SECONDS: Final = 3_600

# Where other integrations use the instance too, Adobe asks each to keep to half.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices
SHARED_CALLS_PER_WINDOW: Final = 50
SHARED_IN_FLIGHT: Final = 5

# Bulk extract; one queue for all kinds of objects.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract
EXPORT_BYTES_PER_DAY: Final = 500_000_000
EXPORT_RUNNING_MAX: Final = 2
EXPORT_QUEUED_MAX: Final = 10  # the running ones included
EXPORT_WINDOW_DAYS_MAX: Final = 31  # for every kind, by createdAt as by updatedAt
EXPORT_STATUS_SECONDS: Final = 60  # a status changes no oftener
EXPORT_LIST_DAYS: Final = 7
# "Limits" says 7 days and "Polling Job Status" says 10: plan with the shorter.
EXPORT_FILE_DAYS: Final = 7
# Adobe names no limit to the fields of a job; connectors have met refusals beyond these.
EXPORT_FIELDS_MAX: Final = 300
EXPORT_FIELD_NAMES_CHARACTERS_MAX: Final = 7_300
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-program-member-extract
EXPORT_PROGRAMS_MAX: Final = 10  # in one job

# Bulk import. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import
IMPORT_FILE_BYTES_MAX: Final = 10_000_000  # multipart overhead included, as nothing says otherwise
IMPORT_RUNNING_MAX: Final = 2
IMPORT_QUEUED_MAX: Final = 10  # the running ones included
# How often a status is asked for, "depending on latency requirements", and how long a batchId is valid.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-lead-import
IMPORT_STATUS_SECONDS_MIN: Final = 5
IMPORT_STATUS_SECONDS_MAX: Final = 30
IMPORT_BATCH_DAYS: Final = 7

# Records in one call that creates or updates, whatever they are.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
SYNC_ROWS_MAX: Final = 300

# Data Ingestion, which has a host and limits of its own; its calls count for nothing above.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
INGESTION_CALLS_PER_SECOND: Final = 5_000  # of one client id
INGESTION_OBJECTS_PER_DAY: Final = 10_000_000
INGESTION_ROWS_MAX: Final = 1_000  # in one call; of program members over all its programs
INGESTION_BODY_BYTES_MAX: Final = 1_000_000

# Pages of results. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
PAGE_ROWS_MAX: Final = 300
FILTER_VALUES_MAX: Final = 300  # in one call; of leads and program members as of all other objects
# More leads than this by one filter are refused with code 1003.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
LEADS_BY_FILTER_MAX: Final = 1_000
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets
ASSET_PAGE_ROWS_MAX: Final = 200
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/emails-new, and Adobe's definitions of v2
ASSET_V2_PAGE_ROWS_MAX: Final = 50
ASSET_V2_IDS_MAX: Final = 20  # in one bulk get
