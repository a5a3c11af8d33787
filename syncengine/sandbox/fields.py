"""The instance's lead fields: the standard ones, twenty custom ones of every data type, and three without REST name.

Names and labels: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-of-standard-fields
Types: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/field-types
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TEXT_TYPES = frozenset({"string", "text", "email", "phone", "url", "reference", "formula"})
WHOLE_TYPES = frozenset({"integer", "score"})
DECIMAL_TYPES = frozenset({"float", "currency", "percent"})
DATA_TYPES = TEXT_TYPES | WHOLE_TYPES | DECIMAL_TYPES | {"boolean", "date", "datetime"}

LENGTHS = {"string": 255, "email": 255, "phone": 255, "url": 255, "text": 2000, "reference": 255}


@dataclass(frozen=True, slots=True)
class LeadField:
    """One entry of describe; without `rest` the field exists for other interfaces only."""

    id: int
    name: str
    label: str
    data_type: str
    is_read_only: bool = False
    has_rest: bool = True
    is_custom: bool = False

    @property
    def is_exportable(self) -> bool:
        """Formula fields are computed when shown and never exported."""
        return self.has_rest and self.data_type != "formula"

    def described(self) -> dict[str, Any]:
        """The entry of describe.json."""
        entry: dict[str, Any] = {"id": self.id, "displayName": self.label, "dataType": self.data_type}
        if self.data_type in LENGTHS:
            entry["length"] = LENGTHS[self.data_type]
        if self.has_rest:
            entry["rest"] = {"name": self.name, "readOnly": self.is_read_only}
        entry["soap"] = {"name": self.name[:1].upper() + self.name[1:], "readOnly": self.is_read_only}
        return entry

    def described2(self) -> dict[str, Any]:
        """The entry of describe2.json."""
        entry: dict[str, Any] = {"name": self.name, "displayName": self.label, "dataType": self.data_type}
        if self.data_type in LENGTHS:
            entry["length"] = LENGTHS[self.data_type]
        return entry | {"updateable": not self.is_read_only, "crmManaged": False}


# name, label, type; an asterisk marks a field that only Marketo writes.
STANDARD = """
id|Id|integer*
company|Company Name|string
site|Site|string
billingStreet|Billing Address|text
billingCity|Billing City|string
billingState|Billing State|string
billingCountry|Billing Country|string
billingPostalCode|Billing Postal Code|string
website|Website|url
mainPhone|Main Phone|phone
annualRevenue|Annual Revenue|currency
numberOfEmployees|Num Employees|integer
industry|Industry|string
sicCode|SIC Code|string
salutation|Salutation|string
firstName|First Name|string
middleName|Middle Name|string
lastName|Last Name|string
email|Email Address|email
phone|Phone Number|phone
mobilePhone|Mobile Phone Number|phone
fax|Fax Number|phone
title|Job Title|string
department|Department|string
dateOfBirth|Date of Birth|date
address|Address|text
city|City|string
state|State|string
country|Country|string
postalCode|Postal Code|string
leadSource|Lead Source|string
leadStatus|Lead Status|string
leadScore|Lead Score|score
rating|Lead Rating|string
urgency|Urgency|score
unsubscribed|Unsubscribed|boolean
unsubscribedReason|Unsubscribed Reason|text
doNotCall|Do Not Call|boolean
emailInvalid|Email Invalid|boolean
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
externalCompanyId|External Company Id|string
externalSalesPersonId|External Sales Person Id|string
"""

CUSTOM = """
favouriteColour|Favourite Colour|string
nickname|Nickname|string
legacyNumber|Legacy Number|string
notes|Notes|text
transcript|Chat Transcript|text
secondEmail|Second Email|email
directPhone|Direct Phone|phone
profileUrl|Profile URL|url
storeVisits|Store Visits|integer
npsAnswer|NPS Answer|integer
engagementRate|Engagement Rate|float
lifetimeValue|Lifetime Value|currency
discount|Discount|percent
fitScore|Fit Score|score
isVip|VIP|boolean
contractDate|Contract Date|date
lastPurchaseAt|Last Purchase At|datetime
lastSeenLocal|Last Seen (local time)|datetime
accountOwner|Account Owner|reference
fullNameFormula|Full Name (formula)|formula*
"""

WITHOUT_REST = """
sfdcAccountId|SFDC Account Id|string*
sfdcLeadId|SFDC Lead Id|string*
acquisitionDate|Acquisition Date|datetime*
"""

# Cells of this field are written with the writer's local offset instead of Z.
OFFSET_FIELD = "lastSeenLocal"


def _parsed(table: str, first_id: int, *, has_rest: bool = True, is_custom: bool = False) -> list[LeadField]:
    fields = []
    for number, line in enumerate(table.split("\n")[1:-1]):
        name, label, data_type = line.split("|")
        fields.append(
            LeadField(
                first_id + number,
                name,
                label,
                data_type.rstrip("*"),
                is_read_only=data_type.endswith("*"),
                has_rest=has_rest,
                is_custom=is_custom,
            )
        )
    return fields


def standard_fields() -> list[LeadField]:
    """The fields that every instance has, in the order of describe; the last ones have no REST name."""
    return [*_parsed(STANDARD, 1), *_parsed(WITHOUT_REST, 901, has_rest=False)]


def custom_fields() -> list[LeadField]:
    """The twenty custom fields of a generated instance."""
    return _parsed(CUSTOM, 1001, is_custom=True)


def text_fields(names: list[str]) -> list[LeadField]:
    """Custom string fields for the columns of a user's own file that no standard field matches."""
    return [LeadField(1001 + number, name, name, "string", is_custom=True) for number, name in enumerate(names)]


# Of standard fields the API searches these (and some that this instance does not have), of custom ones these types.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
SEARCHABLE = ("id", "email")
SEARCHABLE_TYPES = frozenset({"string", "email", "integer"})


def searchable_names(fields: Iterable[LeadField]) -> list[str]:
    """Names of the fields by which leads can be looked up."""
    return [
        field.name
        for field in fields
        if field.name in SEARCHABLE or (field.is_custom and field.data_type in SEARCHABLE_TYPES)
    ]
