"""What a member of a JSON object looks like as text when it is of a kind, for views that show members as columns.

Apart from the databases, so that a view shows the same in each: their casts alone differ, round 4.5 and take "yes" for
true. The patterns are of the plain kind that every database's regular expressions know, and match a whole text.
"""

from syncengine.schema import FieldType

_DAY = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
ZONE = "(Z|[-+](0[0-9]|1[0-5]):?[0-5][0-9])"

LOOKS = {
    FieldType.INTEGER: r"[-+]?[0-9]+(\.0+)?",
    FieldType.FLOAT: r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?",
    FieldType.DATE: _DAY,
    FieldType.TIMESTAMP: f"{_DAY}[T ]{_TIME}{ZONE}?",
}
