"""The settings beside a drop."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.errors import ConfigError
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.service.folders.sidecar import KEYS, SETTINGS_BYTES_MAX, asked_of


def asked(folder: Path, text: str | bytes) -> Asked:
    path = folder / "people.csv.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return asked_of(folder / "people.csv", path)


def problems(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        asked(folder, text)
    return [raised.value.message, *raised.value.problems]


def test_without_settings_rows_are_leads_by_email(tmp_path: Path) -> None:
    """With the careful choices, as a run of its own."""
    found = asked_of(tmp_path / "people.csv", None)
    assert found == Asked(
        target=Target(kind=Kind.LEADS, keys=("email",)), files=(str(tmp_path / "people.csv"),), is_new=True
    )
    assert found == asked(tmp_path, "")


def test_settings_are_the_options_of_the_command(tmp_path: Path) -> None:
    """All of them."""
    text = """
        into = "leads"
        lookup_field = "id"
        list_id = 12
        partition = "Europe"
        encoding = "cp1252"
        route = "bulk"
        allow_clear = true
        on_ambiguous = "hold"
        max_failures = "5%"
        max_wait = "2h"
        [columns]
        "E-Mail" = "email"
        Notes = ""
    """
    assert asked(tmp_path, text) == Asked(
        target=Target(kind=Kind.LEADS, keys=("id",), list_id=12, partition="Europe"),
        files=(str(tmp_path / "people.csv"),),
        mapping={"E-Mail": "email", "Notes": ""},
        encoding="cp1252",
        route=Route.BULK,
        allow_clear=True,
        policy=Policy.HOLD,
        failures_max=0.05,
        wait_max=timedelta(hours=2),
        is_new=True,
    )


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ('into = "custom-objects"\napi_name = "car_c"', Target(kind=Kind.CUSTOM_OBJECTS, keys=(), api_name="car_c")),
        (
            'into = "program-members"\nprogram_id = 7\nstatus = "On List"',
            Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=7, status="On List"),
        ),
    ],
)
def test_rows_go_into_other_objects_too(tmp_path: Path, text: str, target: Target) -> None:
    """With what these need."""
    assert target == asked(tmp_path, text).target


def test_a_share_may_be_a_number(tmp_path: Path) -> None:
    """As TOML writes one."""
    assert [0.2, 1.0, 0.0] == [
        asked(tmp_path, f"max_failures = {each}").failures_max for each in ("0.2", '"100%"', "0")
    ]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Each by its key, with what is taken instead."""
    text = """
        into = "program-members"
        list_id = true
        lookup-field = "email"
        program_id = "7"
        route = "bulks"
        allow_clear = "yes"
        max_failures = 1
        max_wait = 90
        encoding = ""
        columns = {a = 1, b = "x", c = []}
    """
    assert [
        "the settings people.csv.toml have 11 problems",
        "list_id takes a whole number above 0",
        "'lookup-field' is no key of them (did you mean \"lookup_field\"?)",
        "program_id takes a whole number above 0",
        'route takes one of auto, bulk, rest, ingestion (did you mean "bulk"?)',
        "allow_clear takes true or false",
        "max_failures '1' is no share: write it as 20%, or as 0.2; 100% never stops",
        "max_wait takes a text in quotes",
        "encoding takes a text in quotes",
        "columns gives 'a', 'c' something else than the name of a field",
        'list_id is for into = "leads", and these are for program-members',
        "status is missing: an import into program-members needs it",
    ] == problems(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('into = "lead"', 'into takes one of leads, custom-objects, program-members (did you mean "leads"?)'),
        ("into = 3\napi_name = 'x'", "into takes one of leads, custom-objects, program-members"),
        ("api_name = 'car_c'", 'api_name is for into = "custom-objects", and these are for leads'),
        ("into = 'custom-objects'", "api_name is missing: an import into custom-objects needs it"),
        ("list_id = 99999999999999999999", "list_id takes a whole number above 0"),
        ("max_failures = nan", "max_failures 'nan' is no share: write it as 20%, or as 0.2; 100% never stops"),
        ('max_wait = "2 weeks"', "max_wait '2 weeks' is no length of time: write it as 90s, 30m, 2h or 1d"),
        ("columns = 3", 'columns is a table: [columns], then lines such as "E-Mail" = "email"'),
        ("[more]", f"'more' is no key of them; known: {', '.join(KEYS)}"),
    ],
)
def test_a_problem_says_what_is_taken(tmp_path: Path, text: str, told: str) -> None:
    """One alone, of each kind."""
    assert ["the settings people.csv.toml have 1 problem", told] == problems(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("into = ", "are no TOML: "),
        (b"a = '\xff'", "are no text in UTF-8"),
        ("#" * (SETTINGS_BYTES_MAX + 1), "are larger than 1,000,000 bytes"),
        (f"list_id = {'9' * 5000}", "are no TOML: "),
        (f"columns = {'[' * 5000}", "are no TOML: "),
    ],
)
def test_what_is_no_settings_at_all_is_told(tmp_path: Path, text: str | bytes, told: str) -> None:
    """With the file's name; whatever its size, none of it is held."""
    (message,) = problems(tmp_path, text)
    assert message.startswith(f"the settings people.csv.toml {told}")


def test_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """A folder, say."""
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(ConfigError, match=r"the settings x\.toml cannot be read: Is a directory"):
        asked_of(tmp_path / "x", tmp_path / "x.toml")


VALUES = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.none())


@given(key=st.sampled_from(list(KEYS)), value=VALUES)
def test_no_value_breaks_the_reading(key: str, value: object) -> None:
    """It is taken, or a sentence says why not."""
    with suppress(ValueError, ConfigError):
        assert KEYS[key](key, value) is not None
