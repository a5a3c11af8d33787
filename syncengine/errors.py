"""Every error that leaves a room of the engine: the class says what the engine does next, attributes carry the facts.

    SyncEngineError
    ├── ConfigError               stop before any network: the user mends the config          (exit 2)
    ├── MarketoError              Marketo answered, or failed to; carries code, request id and call
    │   ├── CredentialsRejected   stop: client id or secret is wrong                          (exit 3)
    │   ├── PermissionDenied      stop this stream, others go on: the role lacks a permission (exit 3)
    │   ├── QuotaExhausted        pause until `resume_at`; everything done so far is kept     (exit 4)
    │   ├── Unavailable           tried for as long as allowed: try again later               (exit 6)
    │   ├── OutcomeUnknown        a create or import may have happened: find out, never guess
    │   ├── TooLarge              split the call and send both halves
    │   ├── Unsupported           take the other way (filter, field) that this stream has
    │   ├── NotFound              the job or file is gone: create it again
    │   └── CallRejected          the call itself is wrong: fail its job with Marketo's reason
    ├── DestinationUnavailable    nothing was applied; run again when it is back              (exit 5)
    ├── DestinationFenced         a newer run owns this stream: stop at once
    ├── LeaseLost                 another process goes on with this work: stop at once
    ├── AlreadyRunning            the same work is under way elsewhere                        (exit 7)
    ├── NoSpace                   the disk is full: free room, run again                      (exit 8)
    ├── SourceUnusable            a file or query to import cannot be taken as a whole: the user mends it (exit 2)
    ├── FileDamaged               a downloaded file is not what Marketo announced: fetch it again
    ├── StateUnusable             the journal is newer than this program, damaged or locked   (exit 2)
    └── IllegalMove               a job was asked to do what its state forbids: a bug

A message says what happened and to what; `advice` says what the user may do. Neither ever holds a secret.
"""

from datetime import datetime


class SyncEngineError(Exception):
    """Root of all errors that the engine raises on purpose."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class ConfigError(SyncEngineError):
    """The configuration cannot be used; `problems` lists every fault, one sentence each."""

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.problems = problems


class MarketoError(SyncEngineError):
    """A call did not give its result; `code` is Marketo's code or one of ours (`NET_PRE`, `NET_POST`, ...)."""

    def __init__(self, message: str, *, code: str = "", request_id: str = "", call: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code
        self.request_id = request_id
        self.call = call


class CredentialsRejected(MarketoError):
    """The identity endpoint refuses the client id or secret."""


class PermissionDenied(MarketoError):
    """Authenticated, but the API role may not make this call."""


class QuotaExhausted(MarketoError):
    """A day's budget ("calls" or "export") is used up; it is back at `resume_at` (UTC)."""

    def __init__(
        self,
        message: str,
        *,
        resume_at: datetime,
        budget: str = "calls",
        code: str = "",
        call: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message, code=code, call=call, advice=advice)
        self.resume_at = resume_at
        self.budget = budget


class Unavailable(MarketoError):
    """Marketo could not be reached, or kept failing, for as long as this call may be tried."""


class OutcomeUnknown(MarketoError):
    """A call that creates something was sent and not answered: it may or may not have been executed."""


class TooLarge(MarketoError):
    """The call is larger than Marketo takes and was not executed."""


class Unsupported(MarketoError):
    """This subscription, or its present schema, does not know the filter or field that was asked for."""


class NotFound(MarketoError):
    """What the call names does not exist (any more)."""


class CallRejected(MarketoError):
    """Marketo refuses the call as it stands; repeating it cannot help."""


class DestinationUnavailable(SyncEngineError):
    """The destination could not be opened or died; its last transaction was not applied."""


class DestinationFenced(SyncEngineError):
    """A later epoch has written to this stream: this run lost its lease and may not commit."""


class LeaseLost(SyncEngineError):
    """The lease of this work has passed to another process, which owns its jobs now."""


class AlreadyRunning(SyncEngineError):
    """The lease of the same work is held; `holder` names the process."""

    def __init__(self, message: str, *, holder: str, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.holder = holder


class NoSpace(SyncEngineError):
    """The disk has no room for what comes next; partial files are kept for resuming."""


class SourceUnusable(SyncEngineError):
    """What is to be imported cannot be read as a table; the message says where it stopped being one."""


class FileDamaged(SyncEngineError):
    """A file's size, checksum or record count differs from what Marketo announced."""


class StateUnusable(SyncEngineError):
    """The state was written by a newer version, is damaged, or stays locked; it is never overwritten silently."""


class IllegalMove(SyncEngineError):
    """A job's state does not allow the event that was applied to it."""
