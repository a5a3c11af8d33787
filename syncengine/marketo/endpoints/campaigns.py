"""Smart campaigns as the lead database knows them.

Adobe calls the asset API's listing its successor; this one goes by token, 300 a page, and names each one's program.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/smart-campaigns
"""

from syncengine.marketo.call import Call
from syncengine.marketo.pages import Page, page_query, while_token


def campaigns(following: str = "") -> Call[Page]:
    """A page of all smart campaigns, as rows of CAMPAIGN_COLUMNS."""
    return Call(
        name="campaigns.list",
        method="GET",
        path="/rest/v1/campaigns.json",
        decode=while_token,
        query=page_query(following),
        permission="Read-Only Campaign",
    )
