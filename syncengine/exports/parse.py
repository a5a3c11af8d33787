"""A verified bulk-export file -> Arrow record batches, typed by the stream's schema.

Apart from fetching and loading: it reads a file that is known to be whole, and knows nothing of where rows go.

Theory of operation. The file is cut into pieces of whole records. Each piece is read straight into typed columns, as
fast as Arrow can. Where a cell does not fit its type, that piece is read again as text and converted column by column,
and the columns that failed are read as text from then on. Where Arrow sees other records than the file has (a bare CR
in an unquoted cell, a stray quote), the piece is read cell by cell. The three ways give the same rows; they differ in
speed alone. What never happens: a row dropped, a cell changed, a row of the wrong width let through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from syncengine.errors import FileDamaged
from syncengine.exports.cells import Column, checked_finite, checked_json, direct, typed, unparsed_column
from syncengine.exports.fields import landed
from syncengine.exports.records import PIECE_BYTES, Piece, cells, first_record, pieces
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import file_schema, part_of
from syncengine.jobs.job import Job
from syncengine.marketo.dialect import NULL
from syncengine.schema import Field, FieldType, Schema, arrow_type

_BOM = b"\xef\xbb\xbf"


def batches(
    path: Path,
    schema: Schema,
    *,
    header: Mapping[str, str] | None,
    expected_rows: int | None,
    problems: ParseProblems,
    piece_bytes: int = PIECE_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Read a file of `schema.fields` as batches of `landed(schema)`; blocking, in memory of a few pieces.

    `header` renames fields as the export's `columnHeaderNames` did. The columns may stand in any order. A cell is NULL
    when it is empty or `null` without quotes; blank cells of anything but text are NULL too. Raises FileDamaged when
    the header is not the request's, a record is ragged, a key is missing, or the rows are not `expected_rows`; what was
    yielded before must then be thrown away.
    """
    rows = 0
    with path.open("rb") as file:
        reader: _Reader | None = None
        for piece in pieces(file, piece_bytes):
            if reader is None:
                names, end = first_record(piece.data.removeprefix(_BOM))
                reader = _Reader(schema, _fields_in_order(names, schema, header or {}), problems)
                end += len(piece.data) - len(piece.data.removeprefix(_BOM))
                piece = Piece(piece.data[end:], piece.plain)  # noqa: PLW2901  # the same piece without its header
            if piece.data:
                batch = reader.read(piece, first=rows + 1)
                rows += batch.num_rows
                yield batch
    if expected_rows is not None and rows != expected_rows:
        raise FileDamaged(f"{path.name} has {rows:,} records where Marketo announced {expected_rows:,}")


def rows_of(path: Path, job: Job, problems: ParseProblems) -> Iterator[pa.RecordBatch]:
    """The rows of a window's file, as `batches` reads them; those of a list's members with the list's id."""
    schema, expected, list_id = file_schema(job), job.facts["records"], part_of(job).list_id
    if list_id is None:
        yield from batches(path, schema, header=None, expected_rows=expected, problems=problems)
        return
    member = Schema(tuple(field for field in schema.fields if field.name == "leadId"), ("leadId",))
    for batch in batches(path, member, header={"leadId": "id"}, expected_rows=expected, problems=problems):
        lists = pa.array([list_id] * batch.num_rows, pa.int64())
        yield pa.RecordBatch.from_arrays([lists, *batch.columns], schema=landed(schema).arrow())


def _fields_in_order(names: list[str], schema: Schema, header: Mapping[str, str]) -> list[Field]:
    fields = {header.get(field.name, field.name): field for field in schema.fields}
    if sorted(names) != sorted(fields):
        missing = ", ".join(name for name in fields if name not in names) or "none"
        others = ", ".join(name for name in names if name not in fields) or "none"
        raise FileDamaged(
            f"the file has {len(names)} columns where {len(fields)} were asked for;"
            f" missing: {missing}; not asked for: {others}"
        )
    return [fields[name] for name in names]


class _Reader:
    """Turns pieces of one file into batches, and remembers which columns need the careful way."""

    def __init__(self, schema: Schema, fields: list[Field], problems: ParseProblems) -> None:
        self._schema = schema
        self._arrow = landed(schema).arrow()
        self._fields = fields
        self._problems = problems
        self._careful: set[str] = set()

    def read(self, piece: Piece, first: int) -> pa.RecordBatch:
        """Raises FileDamaged; `first` is the number of the piece's first record."""
        content = self._by_arrow(piece)
        # Arrow takes a blank line for a row of NULLs; reading cell by cell tells which of the two it is.
        if content is None or self._row_without_key(content) is not None:
            content = self._by_cells(piece, first)
        if (row := self._row_without_key(content)) is not None:
            raise FileDamaged(f"record {first + row} has no {' or '.join(self._schema.key)} that can be read")
        self._problems.unparsed.update({name: len(unfit) for name, (_, unfit) in content.misfits.items()})
        columns = [content.columns[name] for name in self._schema.names]
        columns.append(unparsed_column(content.rows, content.misfits))
        return pa.RecordBatch.from_arrays(columns, schema=self._arrow)

    def _by_arrow(self, piece: Piece) -> "_Content | None":
        # A bare CR ends a record for Arrow: that shows as ragged rows, except where every width is right.
        if not piece.plain or (b"\r" in piece.data and (len(self._fields) == 1 or not self._schema.key)):
            return None
        try:
            return self._converted(_read_csv(piece.data, self._fields, self._careful))
        except pa.ArrowInvalid:
            pass
        try:
            table = _read_csv(piece.data, self._fields, set(self._schema.names))
        except pa.ArrowInvalid:
            return None
        return self._converted(table)

    def _by_cells(self, piece: Piece, first: int) -> "_Content":
        columns = [pa.array(column, pa.binary()) for column in cells(piece.data, len(self._fields), first)]
        return self._converted(pa.table(columns, [field.name for field in self._fields]))

    def _converted(self, table: pa.Table) -> "_Content":
        content = _Content(table.num_rows, {}, {})
        for field in self._fields:
            name, column = field.name, table[field.name].combine_chunks()
            if not pa.types.is_binary(column.type):
                content.columns[name] = _checked(column, field.type)
                continue
            values = None if name in self._careful else direct(column, field.type)
            if values is None:
                self._careful.add(name)
                values, unfit = typed(column, field.type)
                if unfit:
                    content.misfits[name] = (column, unfit)
            content.columns[name] = values
        return content

    def _row_without_key(self, content: "_Content") -> int | None:
        for name in self._schema.key:
            if content.columns[name].null_count:
                return content.columns[name].is_null().to_pylist().index(True)
        return None


@dataclass(frozen=True, slots=True)
class _Content:
    """A piece's columns, and of those with misfits the original column and the rows that did not fit."""

    rows: int
    columns: dict[str, Column]
    misfits: dict[str, tuple[Column, list[int]]]


def _read_csv(data: bytes, fields: list[Field], as_bytes: set[str]) -> pa.Table:
    if data.startswith(_BOM):
        data = _BOM + data  # Arrow skips one at the start of what it is given, and this one belongs to a cell
    return pa_csv.read_csv(
        BytesIO(data),
        read_options=pa_csv.ReadOptions(column_names=[field.name for field in fields], block_size=len(data) + 1),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types={
                field.name: pa.binary() if field.name in as_bytes else arrow_type(field.type) for field in fields
            },
            null_values=[NULL, ""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true", "True", "TRUE", "1"],
            false_values=["false", "False", "FALSE", "0"],
        ),
    )


def _checked(column: Column, kind: FieldType) -> Column:
    match kind:
        case FieldType.JSON:
            return checked_json(column)
        case FieldType.FLOAT:
            return checked_finite(column)
        case _:
            return column
