"""`syncengine init`: a commented configuration to fill in."""

import os
from pathlib import Path

from syncengine.cli.options import Printing
from syncengine.errors import ConfigError

TEMPLATE = """\
# syncengine: what to bring out of Marketo, and where to. Fill in the lines marked <-, then: syncengine check
# "${NAME}" takes the environment variable NAME.

[instance]
name = "marketo"                               # <- a short name of your choice; never change it afterwards
base_url = "https://123-ABC-456.mktorest.com"  # <- Admin > Web Services > REST API, without /rest
client_id = "${MARKETO_CLIENT_ID}"             # Admin > LaunchPoint > View Details, of an API-only user whose role has
client_secret = "${MARKETO_CLIENT_SECRET}"     # "Read-Only Lead" and "Read-Only Activity"

[limits]
share = 1.0                                    # the part of the API's rate that is ours; 0.5 beside other integrations

[state]
path = "state"                                 # a folder of ours: journal and half-fetched files

[destination]
type = "duckdb"                                # or postgres with a url; delta or parquet with the path of a folder
path = "warehouse.duckdb"
schema = "marketo"

[sync]
start = 2024-01-01                             # <- how far back the first run goes; `syncengine plan` shows its cost
streams = ["leads", "activities", "deleted_leads", "activity_types"]  # `syncengine streams` lists what else there is

[streams.leads]
fields = ["*"]                                 # every field, or REST names and patterns such as "custom*"
exclude = []                                   # fields that must not leave Marketo

# [assets]                                     # needs "Read-Only Assets"
# path = "assets"                              # marketing assets as files that Git can diff, brought by every sync
"""


def init(path: Path = Path("syncengine.toml"), /, *, printing: Printing | None = None) -> int:
    """Write a commented configuration to fill in; only you can read it, and nothing is overwritten.

    For example:

      syncengine init
      syncengine init configs/acme.toml

    Parameters
    ----------
    path
        The file to write.
    """
    screen = (printing or Printing()).screen()
    write_private(path, TEMPLATE)
    screen.say(
        f"{path} is written. Next: fill in the lines marked <-, set MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET,"
    )
    screen.say(f"then `syncengine check{'' if path == Path('syncengine.toml') else f' -c {path}'}`.")
    screen.result({"path": str(path)})
    return 0


def write_private(path: Path, text: str) -> None:
    """Write a new file with mode 0600. Raises ConfigError when it exists or cannot be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        advice = "Move it away first, or name another file."
        raise ConfigError(f"{path} exists already and is left as it is", advice=advice) from None
    except OSError as error:
        advice = "Name a file in a folder that exists and that you may write to."
        raise ConfigError(f"{path} cannot be written: {error.strerror}", advice=advice) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
