"""How far an import and each of its chunks have come: the two tables of moves.

Theory of operation
-------------------
Marketo has no key that makes a second sending harmless and no list of import jobs: a batch is known by the id in one
answer, and a sending whose answer was lost can be found out about only by looking at the people. So the journal has to
know, after any death, on which side of that answer a chunk stands:

- PLANNED: Marketo cannot have it. It may be sent.
- SENDING: it may have been sent, since the intent was written down before the first byte. Whoever finds a chunk here
  after a crash does not know, and may not send it.
- AMBIGUOUS: it was sent and not answered. Evidence decides: found among the people (CONFIRMED), provably never applied
  (PLANNED again), or neither (UNRESOLVED); HELD waits for the operator's word.
- ACCEPTED: Marketo has given a batch id. It is never sent again.
- COMPLETE, FAILURES_SAVED, WARNINGS_SAVED, DONE: what became of its rows is known, on disk, and written down.
- BROKEN, FAILED: Marketo gave the batch up, perhaps in its middle; the people tell which rows are in nevertheless.
- REFUSED: Marketo will not have these bytes; every row carries its reason.
- REPLACED: other chunks stand in its place. DROPPED: the operator gave the run up before it was sent.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import
"""

from typing import Final

from syncengine.jobs.job import Moves

IMPORT: Final = "import"
CHUNK: Final = "import chunk"

OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
IMPORT_MOVES: Final = Moves(
    initial=OPEN,
    table={
        (OPEN, "renew"): OPEN,  # other terms, as given to a resume
        (OPEN, "close"): CLOSED,
    },
    final=frozenset({CLOSED}),
)

PLANNED: Final = "PLANNED"
SENDING: Final = "SENDING"
AMBIGUOUS: Final = "AMBIGUOUS"
HELD: Final = "HELD"
ACCEPTED: Final = "ACCEPTED"
COMPLETE: Final = "COMPLETE"
FAILURES_SAVED: Final = "FAILURES_SAVED"
WARNINGS_SAVED: Final = "WARNINGS_SAVED"
DONE: Final = "DONE"
CONFIRMED: Final = "CONFIRMED"
UNRESOLVED: Final = "UNRESOLVED"
REFUSED: Final = "REFUSED"
BROKEN: Final = "BROKEN"
FAILED: Final = "FAILED"
DROPPED: Final = "DROPPED"
REPLACED: Final = "REPLACED"

CHUNK_MOVES: Final = Moves(
    initial=PLANNED,
    table={
        (PLANNED, "intend"): SENDING,
        (PLANNED, "replace"): REPLACED,
        (PLANNED, "give up"): DROPPED,
        (SENDING, "accepted"): ACCEPTED,
        (SENDING, "answered"): DONE,  # a synchronous call tells what became of each row at once
        (SENDING, "not taken"): PLANNED,  # refused for now, provably: a limit, a full queue, no connection
        (SENDING, "refused"): REFUSED,
        (SENDING, "lost"): AMBIGUOUS,
        (AMBIGUOUS, "confirmed"): CONFIRMED,
        (AMBIGUOUS, "absent"): PLANNED,
        (AMBIGUOUS, "unclear"): UNRESOLVED,
        (AMBIGUOUS, "divide"): CONFIRMED,  # what is certainly not there goes on as a chunk of its own
        (AMBIGUOUS, "hold"): HELD,
        (HELD, "reopen"): AMBIGUOUS,
        (ACCEPTED, "complete"): COMPLETE,
        (ACCEPTED, "failed"): BROKEN,
        (BROKEN, "told"): FAILED,
        (ACCEPTED, "forgotten"): AMBIGUOUS,  # its batch id is too old: only the people can tell
        (COMPLETE, "failures saved"): FAILURES_SAVED,
        (COMPLETE, "forgotten"): AMBIGUOUS,
        (FAILURES_SAVED, "warnings saved"): WARNINGS_SAVED,
        (WARNINGS_SAVED, "settled"): DONE,
        **{(state, "give up"): UNRESOLVED for state in (SENDING, AMBIGUOUS, HELD, ACCEPTED, BROKEN)},
        **{(state, "give up"): UNRESOLVED for state in (COMPLETE, FAILURES_SAVED, WARNINGS_SAVED)},
    },
    final=frozenset({DONE, CONFIRMED, UNRESOLVED, REFUSED, FAILED, REPLACED, DROPPED}),
)

# Marketo has it, or may have it.
AT_MARKETO: Final = frozenset({SENDING, AMBIGUOUS, HELD, ACCEPTED})
# What became of its rows is known.
SETTLED: Final = frozenset({DONE, CONFIRMED, UNRESOLVED, REFUSED, FAILED})
ENDED: Final = SETTLED | {DROPPED}
