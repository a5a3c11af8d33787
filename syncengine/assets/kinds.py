"""The table of kinds of assets: how each is listed, what else is asked for one of them, and what never counts.

Everything that tells one kind from another stands here as data; the rest of this room knows no kind by name, but for
folders and programs, which are the tree. A kind's name is also the one in its files' names and, with `asset_` before
it, its table's.

Of a list's row we leave out what changes without anybody having changed the asset (VOLATILE), and what is another
asset's to say (the name of its folder).

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from syncengine.marketo.endpoints.assets import Design
from syncengine.marketo.rows import listed, text, whole
from syncengine.schema import Field, FieldType

Rows = Sequence[Mapping[str, Any]]
Row = Mapping[str, Any]
Version = Literal["", "approved", "draft"]

FOLDER: Final = "folder"
PROGRAM: Final = "program"
FILE: Final = "file"
# Fields of rows that tell about the answer, or about visitors, and not about the asset.
VOLATILE: Final = frozenset(
    ["requestId", "thumbnail", "views", "viewCount", "visits", "conversions", "lastViewedAt", "memberCount"]
)
GUIDED: Final = "guided"
EMAIL_PROGRAMS: Final = frozenset({"email", "email_batch"})  # both words are Adobe's


@dataclass(frozen=True, slots=True)
class Subject:
    """One version of an asset that more is asked for. `is_live` says that it is the version that visitors see.

    `guided` are the ids of guided landing page templates, None while nobody knows them.
    """

    row: Row
    version: Version
    is_live: bool
    guided: frozenset[int] | None = None


def always(_: Subject) -> bool:
    """Of every asset of the kind."""
    return True


def as_it_is(rows: Rows) -> Any:
    """All rows of the answer."""
    return list(rows)


def first(rows: Rows) -> Any:
    """The one row of the answer."""
    return dict(rows[0]) if rows else None


def tokens(rows: Rows) -> Any:
    """The tokens of an answer, which wraps them in the folder that they belong to."""
    return [token for row in rows for token in listed(row.get("tokens"))]


def content(rows: Rows) -> Any:
    """The text of the one row's `content`."""
    return text(rows[0].get("content")) if rows else None


def rules(rows: Rows) -> Any:
    """A smart list's id and rules; its name and dates follow those of what it belongs to."""
    return {name: rows[0].get(name) for name in ("id", "rules")} if rows else None


def tags_and_costs(rows: Rows) -> Any:
    """What the list of programs leaves out."""
    return {name: listed(rows[0].get(name)) for name in ("tags", "costs")} if rows else None


@dataclass(frozen=True, slots=True)
class Part:
    """What one more call tells of an asset. `name` is its place in the asset's file; HTML has a file of its own.

    `path` has places for `id` and `name`, of the row. `takes_status` tells that it can be asked of either version.
    """

    name: str
    path: str
    pick: Callable[[Rows], Any] = as_it_is
    when: Callable[[Subject], bool] = always
    takes_status: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    is_paged: bool = False


HTML: Final = "html"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of asset.

    `path` lists it. `has_versions` tells that approved and draft versions are listed apart, `has_since` that the list
    takes earliestUpdatedAt, `is_paged` that it is cut into pages. `dynamic` is the path of one section of dynamic
    content. `design` is the name of a kind of the new designer, which is listed by workspace. `id` is the field that
    identifies it, `shown` the one that names it. `inline_html` takes the HTML out of the parts, where it comes in one.
    `ignored` fields of its rows follow from other assets, `entailed` ones from its name or place. `columns` are those
    that have a column of their own.
    """

    name: str
    path: str = ""
    parts: tuple[Part, ...] = ()
    has_versions: bool = False
    has_since: bool = False
    is_paged: bool = True
    dynamic: str = ""
    design: Design | None = None
    id: str = "id"
    shown: str = "name"
    inline_html: Callable[[dict[str, Any]], str | None] | None = None
    ignored: frozenset[str] = frozenset()
    entailed: frozenset[str] = frozenset()
    columns: tuple[Field, ...] = ()

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"asset_{self.name}"

    @property
    def has_text_ids(self) -> bool:
        """Whether it is identified by a text."""
        return self.id != "id" or self.design is not None

    @property
    def statuses(self) -> tuple[Version, ...]:
        """The versions that are listed one after the other."""
        return ("approved", "draft") if self.has_versions else ("",)

    @property
    def call(self) -> str:
        """What a call of its list is named."""
        return f"{self.name}.list"


def has_variables(subject: Subject) -> bool:
    """Emails of the second editor have variables, and only those of the version that is sent can be asked for."""
    return subject.is_live and subject.row.get("version") != 1


def is_live(subject: Subject) -> bool:
    """A preview of a page shows the version that visitors see, and takes no status."""
    return subject.is_live


def is_guided(subject: Subject) -> bool:
    """Only guided pages have variables; whether one is stands in its template."""
    return subject.guided is None or whole(subject.row.get("template")) in subject.guided


def is_email_program(subject: Subject) -> bool:
    """Of programs only those that send an email have a smart list."""
    return text(subject.row.get("type")).casefold() in EMAIL_PROGRAMS


def has_no_comma(subject: Subject) -> bool:
    """Tags are asked for by name, and the asset API finds no name with a comma in it."""
    return "," not in text(subject.row.get("tagType"))


def texts(*names: str) -> tuple[Field, ...]:
    """Columns of text."""
    return tuple(Field(name, FieldType.TEXT) for name in names)


def numbers(*names: str) -> tuple[Field, ...]:
    """Columns of whole numbers."""
    return tuple(Field(name, FieldType.INTEGER) for name in names)


def flags(*names: str) -> tuple[Field, ...]:
    """Columns of yes and no."""
    return tuple(Field(name, FieldType.BOOLEAN) for name in names)


def html_section(parts: dict[str, Any]) -> str | None:
    """The HTML of a snippet, which is one of its sections; a dynamic one is none."""
    sections = listed(parts.get("content"))
    htmls = [section for section in sections if section.get("type") == "HTML"]
    if len(htmls) != 1:
        return None
    parts["content"] = [section for section in sections if section is not htmls[0]]
    return text(htmls[0].get("content"))


def html_body(parts: dict[str, Any]) -> str | None:
    """The HTML of a design, which is a member of its data."""
    data = parts.get("data")
    if not isinstance(data, dict) or not isinstance(html := data.get("html"), dict) or "body" not in html:
        return None
    parts["data"] = {**data, "html": {name: value for name, value in html.items() if name != "body"}}
    return text(html["body"])


DYNAMIC: Final = "DynamicContent"
V1: Final = "/rest/asset/v1"
RULES: Final = {"includeRules": "true"}
SMART_LIST: Final = "smartList"

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            FOLDER,
            parts=(Part("tokens", f"{V1}/folder/{{id}}/tokens.json", tokens, query={"folderType": "Folder"}),),
            ignored=frozenset({"path", "folderId"}),
            columns=texts("folderType") + flags("isArchive", "isSystem"),
        ),
        Kind(
            PROGRAM,
            f"{V1}/programs.json",
            (
                Part("detail", f"{V1}/program/{{id}}.json", tags_and_costs),
                Part("tokens", f"{V1}/folder/{{id}}/tokens.json", tokens, query={"folderType": "Program"}),
                Part(SMART_LIST, f"{V1}/program/{{id}}/smartList.json", rules, is_email_program, query=RULES),
            ),
            has_since=True,
            columns=texts("type", "channel", "sfdcId", "sfdcName"),
        ),
        Kind("channel", f"{V1}/channels.json", columns=texts("applicableProgramType")),
        Kind(
            "tag_type",
            f"{V1}/tagTypes.json",
            (Part("detail", f"{V1}/tagType/byName.json", first, has_no_comma, query={"name": "{name}"}),),
            id="tagType",
            shown="tagType",
            columns=texts("applicableProgramTypes") + flags("required"),
        ),
        Kind(
            "email",
            f"{V1}/emails.json",
            (
                Part("content", f"{V1}/email/{{id}}/content.json", takes_status=True),
                Part("variables", f"{V1}/email/{{id}}/variables.json", when=has_variables),
                Part(HTML, f"{V1}/email/{{id}}/fullContent.json", content, takes_status=True),
            ),
            has_versions=True,
            has_since=True,
            dynamic=f"{V1}/email/{{id}}/dynamicContent/{{section}}.json",
            columns=texts("subject", "fromName", "fromEmail", "replyEmail", "preHeader")
            + numbers("template")
            + flags("operational", "textOnly", "webView"),
        ),
        Kind(
            "email_template",
            f"{V1}/emailTemplates.json",
            (Part(HTML, f"{V1}/emailTemplate/{{id}}/content", content, takes_status=True),),
            has_versions=True,
        ),
        Kind(
            "landing_page",
            f"{V1}/landingPages.json",
            (
                Part("content", f"{V1}/landingPage/{{id}}/content.json", takes_status=True),
                Part("variables", f"{V1}/landingPage/{{id}}/variables.json", when=is_guided, takes_status=True),
                Part(HTML, f"{V1}/landingPage/{{id}}/fullContent.json", content, is_live),
            ),
            has_versions=True,
            dynamic=f"{V1}/landingPage/{{id}}/dynamicContent/{{section}}.json",
            columns=texts("title", "URL", "keywords", "robots") + numbers("template") + flags("mobileEnabled"),
        ),
        Kind(
            "landing_page_template",
            f"{V1}/landingPageTemplates.json",
            (Part(HTML, f"{V1}/landingPageTemplate/{{id}}/content.json", content, takes_status=True),),
            has_versions=True,
            columns=texts("templateType") + flags("enableMunchkin"),
        ),
        Kind(
            "landing_page_domain",
            f"{V1}/landingPageDomains.json",
            id="hostname",
            shown="hostname",
            columns=texts("type"),
        ),
        Kind(
            "redirect_rule",
            f"{V1}/redirectRules.json",
            has_since=True,
            shown="redirectFromUrl",
            columns=texts("redirectToUrl", "hostname"),
        ),
        Kind(
            "form",
            f"{V1}/forms.json",
            # Thank-you pages stand in the row of the list, visibility rules in the fields.
            (Part("fields", f"{V1}/form/{{id}}/fields.json", takes_status=True),),
            has_versions=True,
            columns=texts("theme", "language", "locale", "buttonLabel") + flags("progressiveProfiling"),
        ),
        Kind(
            "snippet",
            f"{V1}/snippets.json",
            (Part("content", f"{V1}/snippet/{{id}}/content.json", takes_status=True),),
            has_versions=True,
            dynamic=f"{V1}/snippet/{{id}}/dynamicContent.json",
            inline_html=html_section,
        ),
        Kind(FILE, f"{V1}/files.json", entailed=frozenset({"url"}), columns=texts("mimeType", "url") + numbers("size")),
        Kind(
            "smart_campaign",
            f"{V1}/smartCampaigns.json",
            (Part(SMART_LIST, f"{V1}/smartCampaign/{{id}}/smartList.json", rules, query=RULES),),
            has_since=True,
            entailed=frozenset({"parentProgramId"}),
            columns=texts("type")
            + flags("isActive", "isRequestable", "isSystem")
            + numbers("smartListId", "flowId", "parentProgramId"),
        ),
        Kind(
            "smart_list",
            f"{V1}/smartLists.json",
            (Part(SMART_LIST, f"{V1}/smartList/{{id}}.json", rules, query=RULES),),
            has_since=True,
        ),
        Kind("static_list", f"{V1}/staticLists.json", has_since=True),
        Kind(
            "segmentation",
            f"{V1}/segmentation.json",
            (Part("segments", f"{V1}/segmentation/{{id}}/segments.json", takes_status=True, is_paged=True),),
            has_versions=True,
            is_paged=False,
        ),
        Kind("email_v2", design="email", inline_html=html_body),
        Kind("email_template_v2", design="emailtemplate", inline_html=html_body),
        Kind("fragment", design="fragment", inline_html=html_body),
    )
}
