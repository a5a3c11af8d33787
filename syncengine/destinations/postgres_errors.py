"""What Postgres says, as errors of ours: by its code, and without any row's value or password.

Apart from the destination, because it is a table of decisions. Codes:
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from typing import TYPE_CHECKING

from syncengine.errors import ConfigError, DestinationUnavailable, NoSpace, SyncEngineError

if TYPE_CHECKING:
    import psycopg

# Classes whose words name tables, roles and servers, and never quote a value.
_SPEAKABLE = ("08", "25", "28", "3D", "3F", "42", "53", "55", "57", "58")
_ADVICE = {
    "28": "look at user and password in the connection string",
    "3D": "make the database, or name another in the connection string",
    "42501": "let the role create and use the schema: GRANT CREATE ON DATABASE ..., or make the schema its own",
    "25006": "name the primary server in the connection string: this one takes no writes",
    "53300": "give the server more connections, or close some",
    "55P03": "see who holds it in pg_stat_activity, then run again",
}


def translated(error: "psycopg.Error", place: str, password: str) -> SyncEngineError:
    """The error as the engine knows it; `place` names the server, `password` is what may never be said."""
    code = error.sqlstate or ""
    if code == "53100":
        return NoSpace(f"the disk of {place} is full; nothing was applied", advice="free room there, then run again")
    if code == "54011":
        return ConfigError(
            f"a table in {place} would have more columns than the 1,600 that Postgres allows",
            advice="ask for fewer fields of this stream, or write to another kind of destination",
        )
    if code in {"0A000", "2BP01"}:
        return ConfigError(
            f"{place}: {error.diag.message_primary}; nothing was applied",
            advice="a column has to become wider, and a view or rule of yours shows it: drop that, run, make it again",
        )
    if code == "55P03":
        said = "somebody else holds a lock that is needed"
    elif code and not code.startswith(_SPEAKABLE):
        names = [name for name in (error.diag.constraint_name, error.diag.table_name, error.diag.column_name) if name]
        said = " ".join([f"it refused a value ({code})", *names])
    else:
        said = (error.diag.message_primary or str(error) or type(error).__name__).strip().split("\n")[0]
    if password:
        said = said.replace(password, "***")
    advice = _ADVICE.get(code) or _ADVICE.get(code[:2], "")
    return DestinationUnavailable(f"{place}: {said}; nothing was applied", advice=advice)
