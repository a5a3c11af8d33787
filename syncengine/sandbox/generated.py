"""Generated people: columns of typed values for any rows, from a seed; separate from the store, which only indexes."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from syncengine.sandbox.draws import numbers, picks, row_keys, salt
from syncengine.sandbox.fields import LeadField, custom_fields, standard_fields
from syncengine.sandbox.hostile import HOSTILE_TEXTS, long_text
from syncengine.sandbox.values import Value

FIRST_NAMES = (
    "Ada Alan Barbara Claude Edsger Frances Grace Hedy Ivan Jean Katherine Linus Margaret Niklaus Ole Radia Sophie Tim "
    "Ursula Vint Whitfield Xiaoyun Yukihiro Zoe Jos\u00e9 Ren\u00e9e Bj\u00f6rn \u0141ukasz \u5149 O'Neil"
)
LAST_NAMES = (
    "Lovelace Turing Liskov Shannon Dijkstra Allen Hopper Lamarr Sutherland Bartik Johnson Torvalds Hamilton Wirth "
    "Dahl Perlman Wilson Berners-Lee Franklin Cerf Diffie Wang Matsumoto Garc\u00eda M\u00fcller D'Angelo \u00d8"
)
CITIES = ("Oslo", "S\u00e3o Paulo", "Z\u00fcrich", "New York", "Washington, D.C.", "Kyoto", "Nairobi", "Reykjav\u00edk")
COUNTRIES = ("Norway", "Brazil", "Switzerland", "United States", "Japan", "Kenya", "Iceland", "Korea, Republic of")
STATES = ("NY", "CA", "SP", "ZH", "Kyoto", "Nairobi County")
TITLES = ("Engineer", "VP, Sales", "CEO", 'Director "EMEA"', "Head of Data", "Analyst", "Buyer")
COMPANIES = ("Acme, Inc.", "Globex", "Initech LLC", "Umbrella Corp.", "Stark & Sons", 'The "Best" Company', "Hooli")
INDUSTRIES = ("Software", "Banking", "Health care", "Retail", "Energy", "Education")
SOURCES = ("Web", "Trade show", "Referral", "Advertisement", "List purchase")
STATUSES = ("New", "Working", "Qualified", "Unqualified", "Customer")
SENTENCES = (
    "Asked for a quote.",
    "Line one\nline two",
    "Called back; left a message",
    'Said: "not now", maybe later',
    "Prefers e-mail.\r\nBest before noon.",
)
COLOURS = ("red", "green", "blue", "caf\u00e9 au lait")

POOL_SIZE = 512
LONG_TEXT_EVERY = 9_973

Column = Callable[[Sequence[int], Sequence[int]], list[Value]]


def texts(name: str, words: Sequence[str], *, nulls: float = 0.1, hostile: float = 0.06) -> Column:
    """Words, with a share of nulls and a share of hostile texts."""
    null_count, hostile_count = int(POOL_SIZE * nulls), int(POOL_SIZE * hostile)
    first = salt(name) % len(HOSTILE_TEXTS)
    pool: list[Value] = [None] * null_count
    pool += [HOSTILE_TEXTS[(first + number) % len(HOSTILE_TEXTS)] for number in range(hostile_count)]
    pool += [words[number % len(words)] for number in range(POOL_SIZE - len(pool))]
    return lambda _indices, keys: picks(name, keys, pool)


def pooled(name: str, pool: Sequence[Value]) -> Column:
    """One of the given values."""
    return lambda _indices, keys: picks(name, keys, pool)


def patterned(name: str, form: Callable[[int, int], str], *, nulls_in: int = 8) -> Column:
    """A text made of the row's index and a number; one in `nulls_in` is null."""

    def column(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        drawn = numbers(name, keys, 1_000_000)
        return [
            None if number % nulls_in == 0 else form(index, number)
            for index, number in zip(indices, drawn, strict=True)
        ]

    return column


def instants(name: str, start: int, span_seconds: int, *, nulls_in: int = 5) -> Column:
    """An instant in the `span_seconds` before `start`; one in `nulls_in` is null."""

    def column(_indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        return [None if n % nulls_in == 0 else start - 1 - n for n in numbers(name, keys, span_seconds)]

    return column


def transcripts(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
    """Mostly nothing, seldom a text longer than csv readers allow by default."""
    short = picks("transcript", keys, (None, None, None, "Agent: hello\nVisitor: hi\n", ""))
    return [
        long_text(index) if index % LONG_TEXT_EVERY == 7 else text for index, text in zip(indices, short, strict=True)
    ]


def company_key(number: int) -> str:
    """The externalCompanyId of a company."""
    return f"CO-{number:05}"


def salesperson_key(number: int) -> str:
    """The externalSalesPersonId of a sales person."""
    return f"rep{number}@sales.example"


def references(name: str, count: int, key: Callable[[int], str]) -> Column:
    """The key of one of `count` records; the first people see to it that each of them is named by someone."""

    def column(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        drawn = numbers(name, keys, max(1, count) * 3)
        return [
            key(index) if index < count else key(number) if number < count else None
            for index, number in zip(indices, drawn, strict=True)
        ]

    return column


def emails(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
    """An address for nearly everyone; now and then two people share one, as Marketo allows."""
    return [
        None if number == 0 else f"person.{index - (number == 1)}@example{number % 97}.com"
        for index, number in zip(indices, numbers("email", keys, 50), strict=True)
    ]


def dates(first: date, count: int) -> list[Value]:
    """Dates from `first` on, and some nulls."""
    return [None, *((first + timedelta(days=day)).isoformat() for day in range(0, count, 11)), None]


def columns(start: int, years: float, companies: int, salespersons: int) -> dict[str, Column]:
    """How each field's values are made, but for id, createdAt and updatedAt, which the store knows."""
    span = max(1, int(years * 365.25 * 86_400))
    flags = (True, False, False, False, None)
    street = texts("street", ("1 Main St", "Bahnhofstrasse 10\n3rd floor", "Rua A, 12", "Plot 7\r\nBlock B"))
    return {
        "email": emails,
        "firstName": texts("firstName", FIRST_NAMES.split(), nulls=0.02),
        "middleName": texts("middleName", ("J.", "van", "Maria"), nulls=0.7),
        "lastName": texts("lastName", LAST_NAMES.split(), nulls=0.02),
        "salutation": texts("salutation", ("Mr.", "Ms.", "Dr."), nulls=0.4, hostile=0),
        "company": texts("company", COMPANIES),
        "site": texts("site", ("HQ", "Plant, North"), nulls=0.6),
        "title": texts("title", TITLES),
        "department": texts("department", ("IT", "R&D", "Sales; EMEA")),
        "industry": texts("industry", INDUSTRIES, hostile=0),
        "sicCode": texts("sicCode", ("0111", "7372", "9999"), nulls=0.5, hostile=0),
        "city": texts("city", CITIES),
        "state": texts("state", STATES),
        "country": texts("country", COUNTRIES, hostile=0),
        "postalCode": patterned("postalCode", lambda _i, n: f"{n % 100_000:05}"),
        "address": street,
        "billingStreet": street,
        "billingCity": texts("billingCity", CITIES),
        "billingState": texts("billingState", STATES),
        "billingCountry": texts("billingCountry", COUNTRIES, hostile=0),
        "billingPostalCode": patterned("billingPostalCode", lambda _i, n: f"{n % 100_000:05}", nulls_in=2),
        "website": patterned("website", lambda _i, n: f"https://www.example{n % 97}.com/?a={n},b", nulls_in=3),
        "phone": patterned("phone", lambda i, n: f"+1-555-{n % 1000:03}-{i % 10_000:04}"),
        "mobilePhone": patterned("mobilePhone", lambda _i, n: f"(555) {n % 1000:03} {n // 1000:03}", nulls_in=2),
        "mainPhone": patterned("mainPhone", lambda _i, n: f"555{n:06}", nulls_in=3),
        "fax": patterned("fax", lambda _i, n: f"+41 44 {n:06}", nulls_in=2),
        "annualRevenue": pooled("annualRevenue", (None, 0.0, 1000000.0, 12345678.9, 0.1, 99.99, 2500.5)),
        "numberOfEmployees": pooled("numberOfEmployees", (None, 0, 1, 12, 250, 10_000, 2_147_483_647)),
        "dateOfBirth": pooled("dateOfBirth", dates(date(1935, 1, 1), 25_000)),
        "leadSource": texts("leadSource", SOURCES, hostile=0),
        "leadStatus": texts("leadStatus", STATUSES, hostile=0),
        "leadScore": pooled("leadScore", (None, 0, *range(-20, 120, 3))),
        "rating": texts("rating", ("Hot", "Warm", "Cold"), nulls=0.5, hostile=0),
        "urgency": pooled("urgency", (None, None, 0, 1, 2, 3)),
        "unsubscribed": pooled("unsubscribed", flags),
        "unsubscribedReason": texts("unsubscribedReason", SENTENCES, nulls=0.8),
        "doNotCall": pooled("doNotCall", flags),
        "emailInvalid": pooled("emailInvalid", flags),
        "externalCompanyId": references("externalCompanyId", companies, company_key),
        "externalSalesPersonId": references("externalSalesPersonId", salespersons, salesperson_key),
        **custom_columns(start, span),
    }


def custom_columns(start: int, span: int) -> dict[str, Column]:
    """How the twenty custom fields' values are made; the formula field has none."""
    return {
        "favouriteColour": texts("favouriteColour", COLOURS, hostile=0.3),
        "nickname": texts("nickname", FIRST_NAMES.split(), nulls=0.3, hostile=0.4),
        "legacyNumber": texts("legacyNumber", ("000123", "1.0", "1e10", "0x1F", "-0"), hostile=0),
        "notes": texts("notes", SENTENCES, nulls=0.5, hostile=0.2),
        "transcript": transcripts,
        "secondEmail": patterned("secondEmail", lambda i, n: f"p{i}+{n % 7}@mail.example.org", nulls_in=2),
        "directPhone": patterned("directPhone", lambda _i, n: f"+49 30 {n:06}", nulls_in=2),
        "profileUrl": patterned("profileUrl", lambda i, _n: f"https://people.example.com/{i}#top", nulls_in=3),
        "storeVisits": pooled("storeVisits", (None, 0, 1, 2, 3, 5, 8, 13, 1_000_000)),
        "npsAnswer": pooled("npsAnswer", (None, None, *range(11))),
        "engagementRate": pooled("engagementRate", (None, 0.0, 0.5, 1.25, -3.75, 0.1, 1e-05, 123456.789)),
        "lifetimeValue": pooled("lifetimeValue", (None, 0.0, 10.4, 1999.95, 100000.0, 0.01)),
        "discount": pooled("discount", (None, 0.0, 5.0, 12.5, 30.0, 100.0)),
        "fitScore": pooled("fitScore", (None, *range(0, 101, 7))),
        "isVip": pooled("isVip", (True, False, False, None)),
        "contractDate": pooled("contractDate", dates(date(2015, 1, 1), 5_000)),
        "lastPurchaseAt": instants("lastPurchaseAt", start, span),
        "lastSeenLocal": instants("lastSeenLocal", start, span, nulls_in=4),
        "accountOwner": texts("accountOwner", ("Account 17", "Account 18", "Account, with comma"), hostile=0),
    }


class GeneratedPeople:
    """Any number of people, none of them stored."""

    def __init__(self, seed: int, *, start: int, years: float, companies: int = 0, salespersons: int = 0) -> None:
        self.fields: list[LeadField] = [*standard_fields(), *custom_fields()]
        self._seed = seed
        self._columns = columns(start, years, companies, salespersons)

    def columns(self, names: Sequence[str], indices: Sequence[int]) -> list[list[Value]]:
        """Values of the rows `indices`, a list for each name; unknown names are null."""
        keys = row_keys(self._seed, indices)
        return [
            self._columns[name](indices, keys) if name in self._columns else [None] * len(indices) for name in names
        ]
