"""The objects of the lead database that are looked up by key, as describe shows them; separate because it is a table.

None of them can be listed. Companies and sales persons are found by what leads carry, roles by leads, opportunities by
roles, named accounts by any field that is searchable.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/lead-database
"""

from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.records import ObjectField, parsed_fields
from syncengine.sandbox.values import utc_formatter

STAMPS = """
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
"""
GUID = "marketoGUID|Marketo GUID|string*|36\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """What describe says of an object; `defaults` are the fields of a query without `fields`, empty for all."""

    name: str
    label: str
    description: str
    id_field: str
    dedupe: tuple[str, ...]
    searchable: tuple[tuple[str, ...], ...]
    fields: tuple[ObjectField, ...]
    defaults: tuple[str, ...] = ()
    is_of_crm: bool = False
    tells_more: bool = True  # pages say moreResult; companies' pages have a nextPageToken alone

    def described(self, start: float) -> dict[str, Any]:
        """The entry of the describe call."""
        made_at = utc_formatter()(int(start) - 300_000_000)
        shown: dict[str, Any] = {"name": self.name}
        if self.label:
            shown["displayName"] = self.label
        if self.description:
            shown["description"] = self.description
        return shown | {
            "createdAt": made_at,
            "updatedAt": made_at,
            "idField": self.id_field,
            "dedupeFields": list(self.dedupe),
            "searchableFields": [list(names) for names in self.searchable],
            "fields": [field.described() for field in self.fields],
        }


def _each(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


SHAPES = {
    "companies": Shape(
        "Company",
        "",
        "Company object",
        "id",
        ("externalCompanyId",),
        _each("externalCompanyId", "id", "company"),
        parsed_fields(
            STAMPS
            + """
externalCompanyId|External Company Id|string*|100
id|Id|integer*
annualRevenue|Annual Revenue|currency
company|Company Name|string
industry|Industry|string
numberOfEmployees|Num Employees|integer
website|Website|url
externalSalesPersonId|External Sales Person Id|string
"""
        ),
        ("id", "externalCompanyId", "updatedAt", "createdAt"),
        is_of_crm=True,
        tells_more=False,
    ),
    "salespersons": Shape(
        "SalesPerson",
        "",
        "",
        "id",
        ("externalSalesPersonId",),
        _each("email", "id", "externalSalesPersonId"),
        parsed_fields(
            "id|Marketo Id|integer*\n"
            + STAMPS.strip()
            + """
email|Email|string*
externalSalesPersonId|External Sales Person Id|string*
firstName|First Name|string
lastName|Last Name|string
"""
        ),
        is_of_crm=True,
    ),
    "opportunities": Shape(
        "opportunity",
        "Opportunity",
        "",
        "marketoGUID",
        ("externalOpportunityId",),
        _each("externalOpportunityId", "marketoGUID"),
        parsed_fields(
            GUID
            + STAMPS.strip()
            + """
externalOpportunityId|External Opportunity Id|string*|50
name|Name|string
description|Description|string|2000
amount|Amount|currency
stage|Stage|string
isClosed|Is Closed|boolean
closeDate|Close Date|date
externalCompanyId|External Company Id|string
"""
        ),
        ("marketoGUID", "externalOpportunityId", "updatedAt", "createdAt"),
        is_of_crm=True,
    ),
    "opportunity_roles": Shape(
        "opportunityRole",
        "Opportunity Role",
        "",
        "marketoGUID",
        ("externalOpportunityId", "leadId", "role"),
        (("externalOpportunityId", "leadId", "role"), *_each("marketoGUID", "leadId", "externalOpportunityId")),
        parsed_fields(
            GUID
            + """\
externalOpportunityId|External Opportunity Id|string*|50
leadId|Lead Id|integer*
role|Role|string*|50
isPrimary|Is Primary|boolean
externalCreatedDate|External Created Date|datetime
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
"""
        ),
        ("marketoGUID", "externalOpportunityId", "leadId", "role", "updatedAt", "createdAt"),
        is_of_crm=True,
    ),
    "named_accounts": Shape(
        "Named Account",
        "",
        "Marketo standard account attribute map",
        "marketoGUID",
        ("name",),
        _each("marketoGUID", "annualRevenue", "city", "country", "domainName", "industry", "name", "numberOfEmployees"),
        parsed_fields(
            GUID
            + STAMPS.strip()
            + """
name|name|string
annualRevenue|annualRevenue|currency
city|city|string
country|country|string
domainName|domainName|string
industry|industry|string
numberOfEmployees|numberOfEmployees|integer
score1|score1|integer
"""
        ),
        ("marketoGUID", "name", "updatedAt", "createdAt"),
    ),
    # Lists of named accounts have no describe call; idField and dedupeFields are the only filters.
    "named_account_lists": Shape(
        "Named Account List",
        "",
        "",
        "marketoGUID",
        ("name",),
        (),
        parsed_fields(
            GUID
            + STAMPS.strip()
            + """
name|name|string
type|type|string*
updateable|updateable|boolean*
"""
        ),
    ),
}
