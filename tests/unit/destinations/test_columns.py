"""Fields find their columns again, whatever case and order they come in."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from syncengine.destinations.columns import assign, mark_of, widened
from syncengine.schema import FieldType

NAMES = st.lists(st.sampled_from(["a", "A", "b", "B", "_read_at", "_READ_AT", "c"]), unique=True)
RESERVED = ("_read_at",)


def test_a_field_has_its_own_name_when_it_can() -> None:
    """Nothing is renamed without need."""
    assert assign(["id", "Email"], []) == {"id": "id", "Email": "Email"}
    assert assign(["id", "Email"], ["Email", "id", "other"]) == {"id": "id", "Email": "Email"}


def test_a_second_spelling_is_set_apart() -> None:
    """The suffix comes from the exact name, so it is the same in every table."""
    assert assign(["Email", "email"], []) == {"Email": "Email", "email": "email_e7927c74"}


def test_whoever_was_first_keeps_the_column() -> None:
    """A later request in another order, or with one field alone, changes no column."""
    present = ["Email", "email_e7927c74"]

    assert assign(["email", "Email"], present) == {"email": "email_e7927c74", "Email": "Email"}
    assert assign(["email"], present) == {"email": "email_e7927c74"}
    assert assign(["email"], ["email_e7927c74"]) == {"email": "email_e7927c74"}
    assert assign(["email"], ["Email"]) == {"email": "email_e7927c74"}


def test_reserved_names_are_never_given_away() -> None:
    """A field called as a bookkeeping column gets a column beside it, also when that column exists."""
    columns = assign(["_read_at"], ["_read_at"], RESERVED)

    assert set(columns.values()).isdisjoint(RESERVED)


def test_names_are_made_to_fit() -> None:
    """Where names are cut, a field finds its column again, and keeps apart from those that begin alike."""

    def fit(name: str) -> str:
        return name if len(name) <= 12 else f"{name[:3]}_{mark_of(name)}"

    names = ["name of one", "name of another", "name of anything", "NAME OF ANOTHER", "Name of one"]
    columns = assign(names, [], (), fit)

    assert columns == assign(names, columns.values(), (), fit)
    assert columns == assign(names[:2], [], (), fit) | assign(names, columns.values(), (), fit)
    assert len(names) == len({column.lower() for column in columns.values()})
    assert all(len(column) <= 12 for column in columns.values())


@given(NAMES, NAMES)
def test_columns_are_apart_and_stay(first: list[str], second: list[str]) -> None:
    """No two fields share a column in any case, and a field keeps its column as others come and go."""
    before = assign(first, RESERVED, RESERVED)
    after = assign(second, [*RESERVED, *before.values()], RESERVED)

    assert len({column.lower() for column in after.values()}) == len(second)
    assert {name: after[name] for name in first if name in after} == {
        name: before[name] for name in first if name in after
    }
    assert len({column.lower() for column in {*before.values(), *after.values()}}) == len({*first, *second})


def test_widening_is_an_algebra() -> None:
    """It does not matter which type was first or how often it is asked, and text holds everything."""
    for one, other, third in product(FieldType, repeat=3):
        assert widened(one, other) is widened(other, one)
        assert widened(one, widened(one, other)) is widened(one, other)
        assert widened(widened(one, other), third) is widened(one, widened(other, third))
        assert widened(one, FieldType.TEXT) is FieldType.TEXT
