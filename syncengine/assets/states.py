"""One kind's way through a pull: what is on disk of it, and what of it is in the tables.

Theory of operation. A job is one kind of asset in one pull. Nothing of it exists at Marketo, and the folder says itself
what it holds; so a pull that was cut short is not resumed but begun anew: what was written already is found on disk and
not fetched again. The journal says how far each kind came.

    PLANNED    its lists may have been read
    LISTED     all its lists have been read; its files are being brought to where the lists are
    STORED     its files are as the lists are
    APPLIED    its table is so too

ABANDONED is the job of a pull that was cut short.
"""

from types import MappingProxyType
from typing import Final

from syncengine.jobs.job import Moves

ASSETS: Final = "assets"
PLANNED: Final = "PLANNED"
LISTED: Final = "LISTED"
STORED: Final = "STORED"
APPLIED: Final = "APPLIED"
ABANDONED: Final = "ABANDONED"

# The calls of all kinds share the gate; a few kinds at once keep it busy, and leave workers to other jobs.
LISTING: Final = "listing assets"
STORING: Final = "storing assets"
# The destination has one writer, whoever writes: the lane has the name that it has for all other flows.
APPLYING: Final = "applying"
LANES = MappingProxyType({PLANNED: LISTING, LISTED: STORING, STORED: APPLYING})
PLACES = MappingProxyType({LISTING: 6, STORING: 3, APPLYING: 1})

MOVES = Moves(
    initial=PLANNED,
    table=MappingProxyType(
        {
            (PLANNED, "listed"): LISTED,
            (LISTED, "stored"): STORED,
            (STORED, "applied"): APPLIED,
            (PLANNED, "abandon"): ABANDONED,
            (LISTED, "abandon"): ABANDONED,
            (STORED, "abandon"): ABANDONED,
        }
    ),
    final=frozenset({APPLIED, ABANDONED}),
)
