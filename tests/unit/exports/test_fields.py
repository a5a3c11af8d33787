"""Which fields are asked for: names, patterns and exceptions, hashed ones, and lists that are too long for one call."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.errors import ConfigError
from syncengine.exports.fields import UNPARSED, Choice, Shape, landed, matching, needed_by, parts, shape
from syncengine.exports.streams import STREAMS, Stream
from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.marketo.limits import EXPORT_FIELD_NAMES_CHARACTERS_MAX, EXPORT_FIELDS_MAX
from syncengine.marketo.rows import LeadField
from syncengine.schema import Field, FieldType

LEADS, ACTIVITIES = STREAMS["leads"], STREAMS["activities"]
DESCRIBED = tuple(
    LeadField(name, name.title(), data_type, None, read_only=False)
    for name, data_type in (
        ("id", "integer"),
        ("email", "email"),
        ("emailInvalid", "boolean"),
        ("updatedAt", "datetime"),
        ("leadScore", "score"),
        ("fullName", "formula"),
        ("birthday", "date"),
        ("tomorrow", "a type of tomorrow"),
    )
)
NEEDED = ("id", "updatedAt")


def shaped(*fields: str, exclude: tuple[str, ...] = (), hide: tuple[str, ...] = ()) -> Shape:
    return shape(LEADS, DESCRIBED, Choice(fields or ("*",), exclude, hide))


def problems(stream: Stream, choice: Choice) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        shape(stream, DESCRIBED, choice)
    return caught.value.problems


@pytest.mark.parametrize("wanted", [(), ("*",), ("*", "email"), ("?*",), ("[a-z]*",)])
def test_all_fields_that_can_be_exported(wanted: tuple[str, ...]) -> None:
    """Nothing said, or a star, is everything in Marketo's order; formulas are left out, and that is said."""
    found = shaped(*wanted)
    assert ("id", "email", "emailInvalid", "updatedAt", "leadScore", "birthday", "tomorrow") == found.schema.names
    assert ("left out fullName: bulk export does not give formula fields.",) == found.notes


def test_a_formula_that_nobody_wants_is_not_told() -> None:
    """Only what was asked for can be missed."""
    assert ((), ()) == (shaped("email").notes, shaped(exclude=("full*",)).notes)


def test_a_stream_that_is_read_page_by_page_has_formulas() -> None:
    """Only bulk export leaves them out."""
    described = (*DESCRIBED, LeadField("externalCompanyId", "", "string", None, read_only=False))
    found = shape(STREAMS["companies"], described, Choice(("fullName",)))
    assert (("fullName", "externalCompanyId"), ()) == (found.schema.names, found.notes)


@pytest.mark.parametrize(
    ("wanted", "exclude", "names"),
    [
        (("email*",), (), {"email", "emailInvalid"}),
        (("email",), (), {"email"}),
        (("birthda?", "lead*"), (), {"birthday", "leadScore"}),
        (("[bt]*",), (), {"birthday", "tomorrow"}),
        (("*",), ("email*", "tomorrow"), {"leadScore", "birthday"}),
        (("*",), ("*",), set()),
        (("email*",), ("email",), {"emailInvalid"}),
        ((), (), {"email", "emailInvalid", "leadScore", "birthday", "tomorrow"}),
    ],
)
def test_patterns_choose_and_leave_out(wanted: tuple[str, ...], exclude: tuple[str, ...], names: set[str]) -> None:
    """A name or a pattern of either list; what is left out wins, and what identifies and orders rows always comes."""
    assert {*NEEDED, *names} == set(shaped(*wanted, exclude=exclude).schema.names)


def test_patterns_know_upper_from_lower_case() -> None:
    """REST names differ by case alone now and then, on every operating system."""
    assert ({"leadScore"}, set()) == (matching(["lead*"], ["leadScore"]), matching(["Lead*"], ["leadScore"]))


def test_a_name_with_brackets_can_be_named() -> None:
    """What reads as a pattern is a name first of all."""
    assert {"a[b]"} == matching(["a[b]"], ["a[b]", "a"])


@pytest.mark.parametrize("wanted", [("email",), ("email", "id"), ("updatedAt", "email")])
def test_key_and_date_come_unasked(wanted: tuple[str, ...]) -> None:
    """Rows can always be identified and ordered, and the order is Marketo's, not that of the configuration."""
    assert ("id", "email", "updatedAt") == shaped(*wanted).schema.names


@pytest.mark.parametrize(
    ("stream", "needed"),
    [("leads", {"id", "updatedAt"}), ("activities", {"marketoGUID", "activityDate"}), ("programs", {"id"})],
)
def test_what_a_stream_cannot_do_without(stream: str, needed: set[str]) -> None:
    """Key, the date that orders and the date that stays."""
    assert needed == needed_by(STREAMS[stream])


def test_types_are_our_own() -> None:
    """Each field carries the neutral type of Marketo's; one that is not known travels as text."""
    assert (
        Field("id", FieldType.INTEGER),
        Field("updatedAt", FieldType.TIMESTAMP),
        Field("leadScore", FieldType.INTEGER),
        Field("birthday", FieldType.DATE),
        Field("tomorrow", FieldType.TEXT),
    ) == shaped("leadScore", "birthday", "tomorrow").schema.fields


def test_a_hashed_field_is_text() -> None:
    """Whatever it was: what the destination gets is the hash alone. Those that are not asked for are not hashed."""
    found = shaped("email", "leadScore", "birthday", hide=("birth*", "email", "tomorrow"))
    types = {field.name: field.type for field in found.schema.fields}
    assert ("email", "birthday") == found.hashed
    assert (FieldType.TEXT, FieldType.TEXT, FieldType.INTEGER) == (
        types["email"],
        types["birthday"],
        types["leadScore"],
    )


def test_a_pattern_never_hashes_what_rows_are_told_apart_by() -> None:
    """All fields hashed are all but those: no row could be found again."""
    found = shaped("*", hide=("*",))
    assert set() == {*NEEDED} & {*found.hashed}
    assert {*found.schema.names} == {*NEEDED, *found.hashed}


def test_activities_have_columns_of_their_own() -> None:
    """What describe says of leads, formulas included, does not touch activities."""
    whole = shape(ACTIVITIES, DESCRIBED, Choice())
    part = shape(ACTIVITIES, DESCRIBED, Choice(("leadId",)))
    assert (ACTIVITY_COLUMNS, ()) == (whole.schema.fields, whole.notes)
    assert ({"marketoGUID", "leadId", "activityDate"}, ("marketoGUID",)) == ({*part.schema.names}, part.schema.key)


@pytest.mark.parametrize(
    ("stream", "choice", "told"),
    [
        (LEADS, Choice(("Email",)), "streams.leads.fields: Marketo has no field 'Email' here; did you mean 'email'?"),
        (LEADS, Choice(exclude=("emial",)), "streams.leads.exclude: Marketo has no field 'emial' here; did you mean"),
        (LEADS, Choice(hash=("emai",)), "streams.leads.hash: Marketo has no field 'emai' here; did you mean 'email'?"),
        (LEADS, Choice(("zip",)), "streams.leads.fields: Marketo has no field 'zip' here (names are case-sensitive"),
        (LEADS, Choice(exclude=("X*",)), "streams.leads.exclude: no field fits the pattern 'X*' here."),
        (LEADS, Choice(exclude=("id",)), "streams.leads.exclude: 'id' cannot be left out"),
        (LEADS, Choice(exclude=("updatedAt",)), "streams.leads.exclude: 'updatedAt' cannot be left out"),
        (LEADS, Choice(hash=("id",)), "streams.leads.hash: 'id' cannot be hashed"),
        (ACTIVITIES, Choice(("email",)), "streams.activities.fields: Marketo has no field 'email'"),
        (ACTIVITIES, Choice(hash=("activityDate",)), "streams.activities.hash: 'activityDate' cannot be hashed"),
    ],
)
def test_names_that_do_not_fit_are_refused(stream: Any, choice: Any, told: str) -> None:
    """A misspelt field, or one that rows need, is a fault of the configuration, told with the key it stands under."""
    (problem,) = problems(stream, choice)
    assert told == problem[: len(told)]


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends one name to find the next."""
    assert 5 == len(problems(LEADS, Choice(("a", "email", "z*"), ("c", "id"), ("d",))))


def test_what_lands_has_a_column_more() -> None:
    """Beside the stream's columns stands the text of cells that did not fit; the key is the stream's."""
    found = shaped("email")
    assert (("id", "email", "updatedAt", "_unparsed"), ("id",)) == (found.landed.names, found.landed.key)
    assert (landed(found.schema), UNPARSED) == (found.landed, found.landed.fields[-1])


NAMES = st.lists(st.text("aé_", min_size=1, max_size=120), unique=True, max_size=900)


@given(names=NAMES, repeated=st.sets(st.integers(0, 899), max_size=3))
def test_long_lists_are_carried_by_several_calls(names: list[str], repeated: set[int]) -> None:
    """Each list fits into a call, together they are the whole, and only what is to be repeated is in more than one."""
    every = [name for number, name in enumerate(names) if number in repeated]
    lists = parts(names, every)
    others = [name for each in lists for name in each if name not in every]

    assert [] == [each for each in lists if len(each) > EXPORT_FIELDS_MAX]
    assert [] == [each for each in lists if len(",".join(each)) > EXPORT_FIELD_NAMES_CHARACTERS_MAX]
    assert [every] * len(lists) == [[name for name in each if name in every] for each in lists]
    assert [name for name in names if name not in every] == others


@given(names=NAMES)
def test_no_call_is_made_that_is_not_needed(names: list[str]) -> None:
    """A list ends where its next name would be too much for it."""
    lists = parts(names, ())
    for here, following in pairwise(lists):
        more = [*here, following[0]]
        assert len(more) > EXPORT_FIELDS_MAX or sum(len(each) + 1 for each in more) > EXPORT_FIELD_NAMES_CHARACTERS_MAX


def test_a_short_list_stays_one() -> None:
    """Three hundred names that are not long, or none at all, are one call."""
    names = tuple(f"field{number:03}" for number in range(EXPORT_FIELDS_MAX))
    assert ((names,), ((),)) == (parts(names, ("field000",)), parts((), ()))
