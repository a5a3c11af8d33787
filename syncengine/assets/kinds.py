"""The table of kinds of assets: how each is listed, what else is asked for one of them, and what never counts.

Everything that tells one kind from another stands here as data; the rest of this room knows no kind by name, but for
folders and programs, which are the tree. A kind's name is also the one in its files' names and, with `asset_` before
it, its table's.

Of a list's row we leave out what changes without anybody having changed the asset (VOLATILE), and what is another
asset's to say (the name of its folder).

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets
"""

from collections.abc import Mapping
from typing import Final

from syncengine.assets.asking import (
    content,
    first,
    has_no_comma,
    has_variables,
    html_body,
    html_section,
    is_email_program,
    is_live,
    may_have_variables,
    rules,
    tags_and_costs,
    tokens,
)
from syncengine.assets.kind import Kind, Part, flags, numbers, texts

FOLDER: Final = "folder"
PROGRAM: Final = "program"
FILE: Final = "file"
# Fields of rows that tell about the answer, or about visitors, and not about the asset.
VOLATILE: Final = frozenset(
    ["requestId", "thumbnail", "views", "viewCount", "visits", "conversions", "lastViewedAt", "memberCount"]
)
# The type of landing page templates whose pages have no variables.
FREE_FORM: Final = "freeForm"
# The part that has a file of its own.
HTML: Final = "html"
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
                Part(
                    "variables", f"{V1}/landingPage/{{id}}/variables.json", when=may_have_variables, takes_status=True
                ),
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
