"""One reading's way from an intention to committed rows: what is asked for page by page, and its own table of moves.

Theory of operation. A reading only looks: nothing of it exists at Marketo, so an interrupted one is thrown away and
begun anew. Once its rows lie whole in the spool it is like a verified file: it is applied, and its ledger row says so.

    PLANNED    pages may have been read; nothing of them counts
    READ       all rows lie in the spool, as Marketo gave them
    COMMITTED  the ledger has the reading; its file may still lie in the spool
    CLEANED    nothing is left to do

ABANDONED is a reading that was interrupted, or that another request has replaced.
"""

from types import MappingProxyType

from syncengine.exports import window
from syncengine.exports.window import ABANDONED, APPLYING, CLEANED, COMMITTED, PLANNED
from syncengine.jobs.job import Moves

READING = "reading"
READ = "READ"

# Readings wait for calls, and only in part for each other: three at once fill the gaps that each leaves.
PAGING = "paging"
LANES = MappingProxyType({PLANNED: PAGING, READ: APPLYING})

MOVES = Moves(
    initial=PLANNED,
    table=MappingProxyType(
        {
            (PLANNED, "read"): READ,
            (READ, "lost"): PLANNED,
            (READ, "committed"): COMMITTED,
            (COMMITTED, "cleaned"): CLEANED,
            (PLANNED, "abandon"): ABANDONED,
            (READ, "abandon"): ABANDONED,
        }
    ),
    final=frozenset({CLEANED, ABANDONED}),
)

# Both kinds of jobs that a sync has, for the journal.
JOBS = MappingProxyType({window.KIND: window.MOVES, READING: MOVES})
