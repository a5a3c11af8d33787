"""All endpoints of marketing assets in one table, so that the instance knows none of their families by name."""

from syncengine.sandbox.asset_contents import AssetContents
from syncengine.sandbox.asset_folders import AssetFolders
from syncengine.sandbox.asset_listings import AssetListings
from syncengine.sandbox.asset_v2 import AssetsV2
from syncengine.sandbox.database import Database
from syncengine.sandbox.page import Endpoint


def asset_endpoints(data: Database) -> dict[str, Endpoint]:
    """The endpoints by name; the tree of assets is made by the first call of one of them."""
    return {
        **AssetListings(lambda: data.assets).endpoints(),
        **AssetFolders(lambda: data.assets).endpoints(),
        **AssetContents(lambda: data.assets).endpoints(),
        **AssetsV2(lambda: data.assets, is_known=data.options.assets_v2).endpoints(),
    }
