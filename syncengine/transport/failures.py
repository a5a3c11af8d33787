"""Which error a call ends with that is not tried again."""

from syncengine.errors import (
    CallRejected,
    CredentialsRejected,
    MarketoError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    TooLarge,
    Unavailable,
    Unsupported,
)
from syncengine.marketo.call import Call
from syncengine.marketo.reply import Refusal
from syncengine.transport.retry import Stop

ERRORS: dict[Stop, type[MarketoError]] = {
    Stop.CREDENTIALS: CredentialsRejected,
    Stop.PERMISSION: PermissionDenied,
    Stop.UNAVAILABLE: Unavailable,
    Stop.UNKNOWN: OutcomeUnknown,
    Stop.TOO_LARGE: TooLarge,
    Stop.UNSUPPORTED: Unsupported,
    Stop.GONE: NotFound,
    # Where the caller needs what the answer does not hold: a file, or the row of a job.
    Stop.ALREADY: CallRejected,
    Stop.REJECTED: CallRejected,
}
ADVICE: dict[Stop, str] = {
    Stop.CREDENTIALS: "Check client_id and client_secret against LaunchPoint in Marketo's admin pages.",
    Stop.UNAVAILABLE: "Nothing is lost: run the same command again later; it goes on where it stopped.",
}


def error_of(stopped: Stop, refusal: Refusal, call: Call[object], *, tries: int) -> MarketoError:
    """The error that says what comes next. Exhausted quotas are not among them: only the gate knows until when."""
    tried = f" after {tries} tries" if tries > 1 else ""
    permission = f" (permission: {call.permission})" if stopped is Stop.PERMISSION else ""
    return ERRORS[stopped](
        f"{call.name} failed{tried}: {refusal.message} (code {refusal.code}){permission}",
        code=refusal.code,
        request_id=refusal.request_id,
        call=call.name,
        advice=refusal.entry.advice or ADVICE.get(stopped, ""),
    )
