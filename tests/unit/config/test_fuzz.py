"""The reader of configurations meets any text."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.config import parse
from syncengine.errors import ConfigError

GOOD = """\
[instance]
name = "acme"
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "a secret"

[sync]
start = 2023-01-01
"""
HERE = Path("syncengine.toml")

KEYS = st.sampled_from(
    [
        "instance",
        "sync",
        "limits",
        "streams",
        "instances",
        "leads",
        "start",
        "share",
        "fields",
        "name",
        "_env_file",
        "x",
    ]
)
SCALARS = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["true", "1e999", "2023-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "07:30:00"]
    ),
    st.text(alphabet="a${}*\\u0 ", max_size=8).map(lambda text: f'"{text}"'),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"))
LINES = st.one_of(
    st.lists(KEYS, min_size=1, max_size=3).map(lambda parts: f"[{'.'.join(parts)}]"),
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
)


@settings(max_examples=500, deadline=None)  # the first example imports pydantic
@given(
    st.one_of(
        st.text(),
        st.lists(LINES, max_size=8).map("\n".join),
        st.lists(LINES, max_size=4).map(lambda t: GOOD + "\n".join(t)),
    )
)
def test_any_text_gives_settings_or_a_config_error(text: str) -> None:
    """Whatever a file holds, nothing else than a ConfigError leaves the reader, and it has a reason."""
    try:
        reasons: tuple[str, ...] = (parse(text, path=HERE).instance.name,)
    except ConfigError as error:
        reasons = error.problems
    assert all(reasons)
    assert reasons
