"""What is wrong with the cells of a piece of a source, column by column and without a loop over rows.

A row whose cell Marketo is certain to refuse is set aside before it costs anything, with the reason. Only what is
certain: a value that Marketo may read in its own way is sent as it is.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.imports.findings import EXAMPLES_MAX, Effect, Finding, Findings
from syncengine.imports.header import Column
from syncengine.imports.values import instant_of
from syncengine.marketo.dialect import field_type, folded
from syncengine.schema import FieldType

compute: Any = pc  # takes more forms than its stubs know

INTEGER = r"^\s*[+-]?[0-9]{1,10}(\.0*)?\s*$"
NUMBER = r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
BOOLEAN = r"^\s*(?i:true|false|yes|no|t|f|y|n|1|0)\s*$"
TRUE = r"^(?i:true|yes|t|y|1)$"
FALSE = r"^(?i:false|no|f|n|0)$"
# What Marketo cuts from the ends of a value; other white space belongs to it.
BLANKS = " \t\r\n"
DATE = r"^\s*[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
PATTERNS = {
    FieldType.INTEGER: (INTEGER, "is no whole number"),
    FieldType.FLOAT: (NUMBER, "is no number"),
    FieldType.BOOLEAN: (BOOLEAN, "is neither true nor false"),
    FieldType.DATE: (DATE, "is no date (YYYY-MM-DD)"),
    FieldType.TIMESTAMP: (DATE, "is no date and time (YYYY-MM-DDThh:mm:ss, best with an offset)"),
}
# "Text area: up to 30,000 bytes."
TEXT_AREA_BYTES_MAX = 30_000

Mask = Any  # a BooleanArray


@dataclass(slots=True)
class Checked:
    """The first thing wrong with each row, null for a good one, and the text that its keys make."""

    problems: pa.StringArray
    keys: pa.StringArray


@dataclass(slots=True)
class Checks:
    """Checks pieces and counts what it finds; cells that would empty a field stop the import unless `allow_clear`."""

    columns: Sequence[Column]
    allow_clear: bool = False
    findings: Findings = field(default_factory=Findings)

    def piece(self, cells: Sequence[pa.StringArray], places: Callable[[int], str]) -> Checked:
        """Check a text array for each column; `places` says where a row of the piece stands."""
        rows = len(cells[0]) if cells else 0
        problems = pa.nulls(rows, pa.string())
        for column, given in zip(self.columns, cells, strict=True):
            for mask, what in self._faults(column, given):
                problems = self._mark(problems, mask, column, what, places)
        is_good = compute.is_null(problems)
        for column, given in zip(self.columns, cells, strict=True):
            empty = compute.and_(is_empty(given), is_good)
            if not column.is_key and (count := true_in(empty)):
                self.findings.count(self._clearing(column), count, map(places, first_of(empty)))
        return Checked(problems, key_texts(self.columns, cells))

    def _clearing(self, column: Column) -> Finding:
        """Empty cells of a column: "null or an empty string is stored as null" by a write.

        https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
        """
        what = "has empty cells, which clear the field in Marketo"
        if self.allow_clear:
            return Finding(Effect.TELLS, what, column.name)
        return Finding.stop(what, column.name, "--allow-clear lets them; or leave the column out with --map")

    def _faults(self, column: Column, given: pa.StringArray) -> list[tuple[Mask, str]]:
        empty = is_empty(given)
        faults: list[tuple[Mask, str]] = []
        if column.is_key:
            faults.append(
                (compute.fill_null(compute.equal(compute.utf8_trim_whitespace(given), ""), fill_value=True), "is empty")
            )
        faults.append((compute.match_substring(given, "\0"), "holds a NUL character"))
        if pattern := PATTERNS.get(field_type(column.data_type)):
            fits = compute.match_substring_regex(given, pattern[0])
            faults.append((compute.and_not(compute.invert(fits), empty), pattern[1]))
        if folded(column.data_type) == "email":
            # "Only ASCII characters are supported in the email address field."
            # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
            faults.append(
                (compute.invert(compute.string_is_ascii(given)), "has characters beyond ASCII, which Marketo refuses")
            )
        if column.length and field_type(column.data_type) is FieldType.TEXT:
            too_long = compute.greater(compute.utf8_length(given), column.length)
            faults.append((too_long, f"is longer than {column.length} characters"))
        if folded(column.data_type) == "textarea":
            too_long = compute.greater(compute.binary_length(given), TEXT_AREA_BYTES_MAX)
            faults.append((too_long, f"is longer than {TEXT_AREA_BYTES_MAX:,} bytes"))
        return faults

    def _mark(
        self, problems: pa.StringArray, mask: Mask, column: Column, what: str, places: Callable[[int], str]
    ) -> pa.StringArray:
        """Write a fault to the rows that have it and no earlier one."""
        mask = compute.and_(compute.fill_null(mask, fill_value=False), compute.is_null(problems))
        count = true_in(mask)
        if not count:
            return problems
        self.findings.set_aside(what, column.name, count, map(places, first_of(mask)))
        marked: pa.StringArray = compute.if_else(mask, pa.scalar(f"{column.name} {what}"), problems)
        return marked


def is_empty(given: pa.StringArray) -> Any:
    """Which cells hold nothing."""
    return compute.fill_null(compute.equal(given, ""), fill_value=True)


def first_of(mask: Mask) -> list[int]:
    """The first places that are true."""
    found: list[int] = compute.indices_nonzero(mask)[:EXAMPLES_MAX].to_pylist()
    return found


def true_in(mask: Mask) -> int:
    """How many are true."""
    return int(compute.sum(mask).as_py() or 0)


def key_texts(columns: Sequence[Column], cells: Sequence[pa.StringArray]) -> pa.StringArray:
    """What tells rows apart, as one text a row: two rows of one person have the same.

    The case of an address does not matter to Marketo, nor how a number is written, nor blanks around a value.
    """
    parts = [key_text(column, given) for column, given in zip(columns, cells, strict=True) if column.is_key]
    if len(parts) == 1:
        return parts[0]
    # Each with its length before it: no two lists of values make one text.
    sized = [compute.binary_join_element_wise(compute.binary_length(p).cast(pa.string()), p, ":") for p in parts]
    keys: pa.StringArray = compute.binary_join_element_wise(*sized, " ")
    return keys


def key_text(column: Column, given: pa.StringArray) -> pa.StringArray:
    """One key in the form in which it is compared."""
    text: Any = compute.utf8_trim(compute.fill_null(given, ""), characters=BLANKS)
    if folded(column.data_type) == "email" or column.name == "email":
        return _array(compute.utf8_lower(text))
    match field_type(column.data_type):
        case FieldType.INTEGER:
            text = compute.replace_substring_regex(text, r"^\s*\+?(-?)0*([0-9]+?)(\.0*)?\s*$", r"\1\2")
            text = compute.replace_substring_regex(text, "^-0$", "0")
        case FieldType.FLOAT:
            is_number = compute.match_substring_regex(text, NUMBER)
            digits = compute.utf8_trim_whitespace(compute.if_else(is_number, text, None))
            # With nothing added: 0 and -0 are one number. What is too large for one stays the text that it is.
            numbers = compute.add(digits.cast(pa.float64()), 0.0)
            numbers = compute.if_else(compute.is_finite(numbers), numbers, None).cast(pa.string())
            text = compute.coalesce(numbers, text)
        case FieldType.BOOLEAN:
            text = compute.if_else(compute.match_substring_regex(text, TRUE), "true", compute.utf8_lower(text))
            text = compute.if_else(compute.match_substring_regex(text, FALSE), "false", text)
        case FieldType.DATE:
            text = compute.utf8_slice_codeunits(text, 0, len("2026-01-01"))
        case FieldType.TIMESTAMP:
            text = pa.array([str(instant_of(each)) for each in text.to_pylist()], pa.string())
    return _array(text)


def _array(text: Any) -> pa.StringArray:
    found: pa.StringArray = text
    return found
