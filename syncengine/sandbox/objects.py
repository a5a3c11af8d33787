"""The rows of the objects that are looked up by key, generated from the seed; their shapes stand in shapes.py.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/lead-database
"""

from collections.abc import Sequence
from typing import Any

from syncengine.sandbox.draws import numbers, picks
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.generated import (
    COMPANIES,
    INDUSTRIES,
    Column,
    company_key,
    patterned,
    pooled,
    salesperson_key,
    texts,
)
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR
from syncengine.sandbox.records import Records, births, guids, numbered, serials, touches
from syncengine.sandbox.shapes import SHAPES
from syncengine.sandbox.values import Value

ACCOUNT_WORDS = ("Google", "Yahoo", "M\u00fcller \u0026 S\u00f6hne", "O'Neil", '"Quoted" Ltd', "\u65e5\u672c\u8a9e")


def tables_of(options: SandboxOptions, fates: Fates, lead_count: int) -> dict[str, Records]:
    """A table for each shape."""
    counts = {
        "companies": options.companies,
        "salespersons": options.salespersons,
        "opportunities": options.opportunities,
        "opportunity_roles": options.opportunity_roles if options.opportunities and lead_count else 0,
        "named_accounts": options.named_accounts,
        "named_account_lists": options.named_account_lists,
    }
    makers = {
        "companies": _company_columns(options),
        "salespersons": _salesperson_columns(),
        "opportunities": _opportunity_columns(options),
        "opportunity_roles": _role_columns(options, fates, lead_count),
        "named_accounts": _account_columns(),
        "named_account_lists": _account_list_columns(),
    }
    start, span = int(options.start_seconds), max(1, int(options.years * SECONDS_A_YEAR))
    stamps: dict[str, Column] = {"createdAt": births(start, span), "updatedAt": touches(start, span)}
    return {
        name: Records(SHAPES[name].fields, stamps | made, seed=options.seed + 501 + number, count=counts[name])
        for number, (name, made) in enumerate(makers.items())
    }


def _of_index(form: Any) -> Column:
    return lambda indices, _keys: [form(index) for index in indices]


def _references(name: str, count: int, form: Any) -> Column:
    return lambda _indices, keys: [form(number) if count else None for number in numbers(name, keys, max(1, count))]


def _company_columns(options: SandboxOptions) -> dict[str, Column]:
    return {
        "id": serials(1),
        "externalCompanyId": _of_index(company_key),
        "company": numbered("company", COMPANIES),
        "annualRevenue": pooled("annualRevenue", (None, 0.0, 1000000.0, 0.1)),
        "industry": texts("industry", INDUSTRIES, hostile=0.3),
        "numberOfEmployees": pooled("numberOfEmployees", (None, 0, 7, 2_147_483_647)),
        "website": patterned("website", lambda i, _n: f"https://www.example{i}.com/?a=1,2", nulls_in=3),
        "externalSalesPersonId": _references("rep", options.salespersons, salesperson_key),
    }


def _salesperson_columns() -> dict[str, Column]:
    return {
        "id": serials(53_001),
        "email": _of_index(salesperson_key),
        "externalSalesPersonId": _of_index(salesperson_key),
        "firstName": texts("firstName", ("Ada", "Ren\u00e9e")),
        "lastName": texts("lastName", ("D'Angelo", "\u00d8", "null")),
    }


def opportunity_key(number: int) -> str:
    """The externalOpportunityId of an opportunity."""
    return f"OPP{number:07}L"


def _opportunity_columns(options: SandboxOptions) -> dict[str, Column]:
    return {
        "marketoGUID": guids,
        "externalOpportunityId": _of_index(opportunity_key),
        "name": numbered("name", ("Chairs", "Big Dog Day Care, Phase 2", 'The "deal"')),
        "description": texts("description", ("Chairs", ""), hostile=0.5),
        "amount": pooled("amount", (None, 1604.47, 0.0, 1e9)),
        "stage": texts("stage", ("Won", "Lost", "Proposal; sent")),
        "isClosed": pooled("isClosed", (True, False, None)),
        "closeDate": pooled("closeDate", (None, "2024-02-29", "2030-12-31")),
        "externalCompanyId": _references("company", options.companies, company_key),
    }


def _role_columns(options: SandboxOptions, fates: Fates, lead_count: int) -> dict[str, Column]:
    count, roles = max(1, options.opportunities), ("Captain", "Technical Buyer", 'Sponsor "B"', "Lieutenant, 2nd")

    def leads(_indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        return fates.heirs([FIRST_LEAD_ID + number for number in numbers("lead", keys, max(1, lead_count))])

    return {
        "marketoGUID": guids,
        "externalOpportunityId": _of_index(lambda index: opportunity_key(index % count)),
        "leadId": leads,
        "role": lambda indices, keys: [
            f"{role} {index // count}" for index, role in zip(indices, picks("role", keys, roles), strict=True)
        ],
        "isPrimary": pooled("isPrimary", (True, False)),
        "externalCreatedDate": pooled("externalCreatedDate", (None, 1_500_000_000, 1_700_000_000)),
    }


def _account_columns() -> dict[str, Column]:
    return {
        "marketoGUID": guids,
        "name": numbered("name", ACCOUNT_WORDS),
        "annualRevenue": pooled("annualRevenue", (None, 0.0, 1e6)),
        "city": pooled("city", (None, "Oslo", "Z\u00fcrich", *HOSTILE_TEXTS)),
        "country": pooled("country", ("Norway", "Japan", None)),
        "domainName": _of_index(lambda index: f"www.example{index}.com"),
        "industry": pooled("industry", INDUSTRIES),
        "numberOfEmployees": pooled("numberOfEmployees", (None, 0, 12)),
        "score1": pooled("score1", (None, -3, 0, 99)),
    }


def _account_list_columns() -> dict[str, Column]:
    return {
        "marketoGUID": guids,
        "name": numbered("name", ("SaaS", 'Manufacturing "Domestic"')),
        "type": pooled("type", ("default", "default", "external")),
        "updateable": lambda _indices, keys: [
            kind == "default" for kind in picks("type", keys, ("default", "default", "external"))
        ],
    }
