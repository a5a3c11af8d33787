"""Paths of the read side of the Asset API and what each call takes; separate from the other paths for their number.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/assets
"""

from collections.abc import Mapping

V1, V2 = "/rest/asset/v1", "/rest/asset/v2"
PAGED = ("maxReturn", "offset")
SINCE = ("earliestUpdatedAt", "latestUpdatedAt")
# Endpoint, path, required parameters, optional ones.
CALLS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("folders.list", "/folders.json", (), ("root", "maxDepth", "workSpace", *PAGED)),
    ("folders.by_name", "/folder/byName.json", ("name",), ("type", "root", "workSpace")),
    ("folders.get", "/folder/{id}.json", ("type",), ()),
    ("folders.content", "/folder/{id}/content.json", ("type",), PAGED),
    ("folders.tokens", "/folder/{id}/tokens.json", (), ("folderType",)),
    ("programs.smart_list", "/program/{programId}/smartList.json", (), ("includeRules",)),
    ("channels.list", "/channels.json", (), PAGED),
    ("tag_types.list", "/tagTypes.json", (), PAGED),
    ("tag_types.by_name", "/tagType/byName.json", ("name",), ()),
    ("emails.list", "/emails.json", (), ("status", "folder", *PAGED, *SINCE)),
    ("emails.cc_fields", "/email/ccFields.json", (), ()),
    ("emails.get", "/email/{id}.json", (), ("status",)),
    ("emails.content", "/email/{id}/content.json", (), ("status",)),
    ("emails.full_content", "/email/{id}/fullContent.json", (), ("status", "leadId", "type")),
    ("emails.variables", "/email/{id}/variables.json", (), ()),
    ("emails.dynamic_content", "/email/{id}/dynamicContent/{contentId}.json", (), ("status",)),
    ("email_templates.list", "/emailTemplates.json", (), ("status", *PAGED)),
    ("email_templates.get", "/emailTemplate/{id}.json", (), ("status",)),
    ("email_templates.content", "/emailTemplate/{id}/content", (), ("status",)),
    # Adobe's definitions have the path without an ending, all others end so.
    ("email_templates.content", "/emailTemplate/{id}/content.json", (), ("status",)),
    ("email_templates.used_by", "/emailTemplates/{id}/usedBy.json", (), PAGED),
    ("landing_pages.list", "/landingPages.json", (), ("status", "folder", *PAGED)),
    ("landing_pages.get", "/landingPage/{id}.json", (), ("status",)),
    ("landing_pages.content", "/landingPage/{id}/content.json", (), ("status",)),
    ("landing_pages.variables", "/landingPage/{id}/variables.json", (), ("status",)),
    ("landing_pages.dynamic_content", "/landingPage/{id}/dynamicContent/{contentId}.json", (), ()),
    ("landing_pages.full_content", "/landingPage/{id}/fullContent.json", (), ("leadId", "segmentation")),
    ("landing_page_templates.list", "/landingPageTemplates.json", (), ("status", "folder", *PAGED)),
    ("landing_page_templates.get", "/landingPageTemplate/{id}.json", (), ("status",)),
    ("landing_page_templates.content", "/landingPageTemplate/{id}/content.json", (), ("status",)),
    ("landing_page_domains.list", "/landingPageDomains.json", (), PAGED),
    ("redirect_rules.list", "/redirectRules.json", (), (*PAGED, *SINCE)),
    ("redirect_rules.get", "/redirectRule/{id}.json", (), ()),
    ("forms.list", "/forms.json", (), ("status", "folder", *PAGED)),
    ("forms.get", "/form/{id}.json", (), ("status",)),
    ("forms.fields", "/form/{id}/fields.json", (), ("status",)),
    ("forms.thank_you_page", "/form/{id}/thankYouPage.json", (), ("status",)),
    ("forms.used_by", "/form/{id}/usedBy.json", (), PAGED),
    ("snippets.list", "/snippets.json", (), ("status", *PAGED)),
    ("snippets.get", "/snippet/{id}.json", (), ("status",)),
    ("snippets.content", "/snippet/{id}/content.json", (), ("status",)),
    ("snippets.dynamic_content", "/snippet/{id}/dynamicContent.json", (), ("status",)),
    ("files.list", "/files.json", (), ("folder", *PAGED)),
    ("files.get", "/file/{id}.json", (), ()),
    ("smart_campaigns.list", "/smartCampaigns.json", (), ("folder", "isActive", *PAGED, *SINCE)),
    ("smart_campaigns.get", "/smartCampaign/{id}.json", (), ()),
    ("smart_campaigns.smart_list", "/smartCampaign/{id}/smartList.json", (), ("includeRules",)),
    ("smart_lists.list", "/smartLists.json", (), ("folder", *PAGED, *SINCE)),
    ("smart_lists.get", "/smartList/{id}.json", (), ("includeRules",)),
    ("static_lists.list", "/staticLists.json", (), ("folder", *PAGED, *SINCE)),
    ("static_lists.get", "/staticList/{id}.json", (), ()),
    ("segmentations.list", "/segmentation.json", (), ("status",)),
    ("segmentations.segments", "/segmentation/{id}/segments.json", (), ("status", *PAGED)),
)
# Families of the new designer: the word in the path, the name of the endpoints.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/emails-new
V2_FAMILIES = {"email": "emails_v2", "emailtemplate": "email_templates_v2", "fragment": "fragments"}
V2_FILTERS = (
    "folderId",
    "folderType",
    "status",
    "pageIndex",
    "pageSize",
    "name",
    "sortKey",
    "sortOrder",
    "includeArchived",
    "createdAtStart",
    "createdAtEnd",
    "modifiedAtStart",
    "modifiedAtEnd",
)
V2_CALLS = tuple(
    call
    for word, family in V2_FAMILIES.items()
    for call in (
        (f"{family}.filter", f"/{word}/filter", ("workspaceId",), V2_FILTERS),
        (f"{family}.bulk_get", f"/{word}/bulk/get", (), ()),
        (f"{family}.get", f"/{word}/{{id}}", (), ()),
    )
)
ASSET_PATHS: Mapping[str, str] = {V1 + path: endpoint for endpoint, path, _, _ in CALLS} | {
    V2 + path: endpoint for endpoint, path, _, _ in V2_CALLS
}
ASSET_PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    endpoint: (required, optional) for endpoint, _, required, optional in (*CALLS, *V2_CALLS)
}
V2_ENDPOINTS = frozenset(endpoint for endpoint, _, _, _ in V2_CALLS)
# A question in the body of a POST, which writes nothing.
POSTED = frozenset(f"{family}.bulk_get" for family in V2_FAMILIES.values())
