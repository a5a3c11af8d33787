"""Names in Postgres: short enough, and never the same for two."""

from hypothesis import given
from hypothesis import strategies as st

from syncengine.destinations.postgres_sql import NAME_BYTES, quoted, short


def test_a_name_that_fits_is_left_alone() -> None:
    """63 bytes are as many as a name may have, however many characters that is."""
    assert ["x" * 63, "ü" * 31, ""] == [short(name) for name in ("x" * 63, "ü" * 31, "")]
    assert short("x" * 64) == "x" * 54 + "_3ad2ac12"
    assert short("ü" * 32) == "ü" * 27 + "_eb3aff96"


@given(st.text(max_size=200), st.text(max_size=200))
def test_short_names_stay_apart(one: str, other: str) -> None:
    """They always fit, are the same each time, and two long names that begin alike are two."""
    for name in (one, "x" * 60 + one):
        assert len(short(name).encode()) <= NAME_BYTES
        assert short(short(name)) == short(name)
    assert (short("x" * 63 + one) == short("x" * 63 + other)) is (one == other)


def test_quoting_survives_any_character() -> None:
    """Quotes and per cent signs are doubled: the first for Postgres, the second for the way parameters are written."""
    assert quoted('a"b%s') == '"a""b%%s"'
