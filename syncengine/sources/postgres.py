"""The rows of a query on Postgres: copied as CSV into a file of ours, which is then read like the user's own.

Apart from other CSV, because what the server says in its own words (t for true, timestamps in its zone) is asked for in
ours instead.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from syncengine.errors import SourceUnusable
from syncengine.sources import Rows
from syncengine.sources.delimited import Delimited
from syncengine.sources.plain import Original
from syncengine.sources.spool import Spool

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

CONNECT_SECONDS = 10
_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "client_encoding": "UTF8",
    "default_transaction_read_only": "on",
    "statement_timeout": "0",
}
_BOOLEAN, _BYTES, _TIMESTAMP, _TIMESTAMP_WITH_ZONE = 16, 17, 1114, 1184  # as pg_type.dat has them
# A fraction stays where there is one; infinity, which ISO 8601 does not know, stays Postgres' word.
_MOMENT = (
    "CASE WHEN isfinite({0}) THEN rtrim(rtrim(to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || '{1}'"
    " ELSE {0}::text END"
)
_TEXTS = {
    _BOOLEAN: "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
    _TIMESTAMP: _MOMENT.replace("{1}", ""),
    _TIMESTAMP_WITH_ZONE: _MOMENT.replace("{1}", "Z"),
}
# Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html whose words quote no row's value.
_SPEAKABLE = ("08", "25", "28", "3D", "3F", "42", "53", "55", "57", "58")


class PostgresQuery:
    """A query on the database at `conninfo`, in a transaction that may only read; rows pass through a file in `work`.

    NULL and the empty text are both an empty cell. Connections are held only while the query is looked at, and while
    its rows are copied. Raises SourceUnusable when psycopg is missing, the server refuses or the query is none.
    """

    delimiter = ","
    blank_lines = 0
    sha256 = ""
    size = 0

    def __init__(self, conninfo: str, query: str, *, work: Path) -> None:
        self.name = query
        self.path: Path | None = work / "source.csv"
        self._file = work / "source.csv"
        self._parameters = _parameters(conninfo)
        with self._connected() as db:
            described = db.execute(self._select()).description or ()
            self.columns = tuple(column.name for column in described)
            self._types = tuple(column.type_code for column in described)
            self._refused = _without_text(db, described)
        if not self.columns:
            raise SourceUnusable("the query has no columns", advice="write a SELECT")

    def rows(self, taken: Sequence[int], spool: Spool) -> Iterator[Rows]:
        """All rows, once."""
        from psycopg import sql

        for place in taken:
            if kind := self._refused.get(place):
                raise SourceUnusable(
                    f"the query: column {self.columns[place]!r} is of type {kind}, which is no cell",
                    advice="leave the column out, or make text of it in the query",
                )
        columns = sql.SQL(", ").join(self._column(place, only=len(taken) == 1) for place in taken)
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(self._select(columns))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as db, Spool(self._file) as file, db.cursor().copy(copy) as blocks:
            for block in blocks:
                file.write(block)
            file.sync()
        text = Delimited(self._file, "the query's rows", original=Original("", 0))
        yield from text.rows(range(len(taken)), spool)

    def _column(self, place: int, *, only: bool) -> "sql.Composable":
        from psycopg import sql

        known = sql.Identifier(f"c{place}")
        value = sql.SQL(cast("Any", _TEXTS.get(self._types[place], "{0}"))).format(known)
        if only:
            # NULL alone on a line would be a blank line.
            value = sql.SQL("coalesce(({})::text, '')").format(value)
        return sql.SQL("{} AS {}").format(value, sql.Identifier(self.columns[place]))

    def _select(self, columns: "sql.Composable | None" = None) -> "sql.Composed":
        """The query with these columns of it, or all of its columns and none of its rows."""
        from psycopg import sql

        query = sql.SQL(cast("Any", self.name.strip().removesuffix(";")))
        if columns is None:
            return sql.SQL("SELECT * FROM (\n{}\n) AS q LIMIT 0").format(query)
        # Columns are known by their place: a query may give two of one name.
        names = sql.SQL(", ").join(sql.Identifier(f"c{place}") for place in range(len(self.columns)))
        return sql.SQL("SELECT {} FROM (\n{}\n) AS q({})").format(columns, query, names)

    @contextmanager
    def _connected(self) -> Iterator["psycopg.Connection[Any]"]:
        import psycopg

        try:
            with psycopg.connect(**self._parameters, autocommit=True, prepare_threshold=None) as db:
                for setting in _SETTINGS.items():
                    db.execute("SELECT set_config(%s, %s, false)", setting)
                yield db
        except psycopg.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: "psycopg.Error") -> SourceUnusable:
        code = error.sqlstate or ""
        if code and not code.startswith(_SPEAKABLE):
            said = f"it could not compute a value ({code})"
        else:
            said = (error.diag.message_primary or str(error) or type(error).__name__).strip().split("\n")[0]
        password = str(self._parameters.get("password") or "")
        if password:
            said = said.replace(password, "***")
        where = [str(self._parameters.get(name) or "") for name in ("host", "port", "dbname")]
        place = f"Postgres at {where[0] or 'localhost'}{':' * bool(where[1])}{where[1]}/{where[2]}"
        advice = "try the query in psql" if code else "look at address, user and password"
        return SourceUnusable(f"{place}: {said}", advice=advice)


def _without_text(db: "psycopg.Connection[Any]", described: Sequence[Any]) -> dict[int, str]:
    """The types, by place, whose values are no cells: bytes, arrays, rows of tables."""
    found = db.execute(
        "SELECT oid, format_type(oid, NULL) FROM pg_type"
        " WHERE oid = ANY(%s) AND (typcategory IN ('A', 'C', 'P') OR oid = %s)",
        [[column.type_code for column in described], _BYTES],
    ).fetchall()
    names = dict(found)
    return {place: names[column.type_code] for place, column in enumerate(described) if column.type_code in names}


def _parameters(conninfo: str) -> dict[str, Any]:
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise SourceUnusable("rows of Postgres need psycopg", advice="pip install 'syncengine[postgres]'") from error
    try:
        given = dict(conninfo_to_dict(conninfo))
    except psycopg.ProgrammingError:
        # Its words quote the address, and the address has a password.
        raise SourceUnusable(
            "the address of the database cannot be read",
            advice="write postgresql://user@host:5432/database, with %-escapes for signs in the password",
        ) from None
    return {"connect_timeout": CONNECT_SECONDS, "fallback_application_name": "syncengine", **given}
