"""Several instances in one file, and [instances.NAME] as the long form of [instance]."""

from pathlib import Path

import pytest

from syncengine.config import load_all, parse, parse_all
from syncengine.config.reading import chosen
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
TWO = """\
[limits]
share = 0.5
reserve_calls = 7

[sync]
start = 2023-01-01

[streams.leads]
exclude = ["notes"]

[instances.emea]
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "a secret"

[instances.emea.limits]
share = 0.9

[instances.us]
base_url = "https://123-ABC-789.mktorest.com"
client_id = "another id"
client_secret = "another secret"

[instances.us.destination]
schema = "marketo_us"

[instances.us.streams.leads]
full = "weekly"
"""
HERE = Path("syncengine.toml")


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_all(text, path=HERE)
    return caught.value.problems


def test_one_named_instance_is_the_long_form() -> None:
    """[instances.NAME] is [instance] with its name."""
    text = GOOD.replace("[instance]\nname = ", "[instances.acme]\n# ")
    assert parse(GOOD, path=HERE) == parse(text, path=HERE)


def test_each_instance_has_the_common_tables_with_its_own_keys_over_them() -> None:
    """Key by key, in nested tables too; and one does not see the other's."""
    emea, us = parse_all(TWO, path=HERE)
    assert ("emea", "us") == (emea.instance.name, us.instance.name)
    assert (0.9, 7) == (emea.limits.share, emea.limits.reserve_calls)
    assert (0.5, 7) == (us.limits.share, us.limits.reserve_calls)
    assert ("marketo", "marketo_us") == (emea.destination.schema, us.destination.schema)
    assert ("never", "weekly") == (emea.streams["leads"].full, us.streams["leads"].full)
    assert ("notes",) == us.streams["leads"].exclude


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ("[instance]\nname='x'", "instances stands beside [instance]: keep one of the two"),
        ("[instances.us.limits]\nshare = 3", "instances.us.limits.share takes a number from 0.01 to 1, not 3"),
        (
            "[instances.us.limits]\nshar = 1",
            'instances.us.limits.shar is not a key of [instances.us.limits] (did you mean "share"?)',
        ),
        ("[instances.us.state]\npath = 'x'", "instances.us.state is not a key of [instances.us]"),
        ("[instances.third]\nclient_id = 'x'", "instances.third.base_url is missing: add it to [instances.third]"),
    ],
)
def test_what_is_wrong_with_one_of_several_is_told_where_it_stands(addition: str, told: str) -> None:
    """The sentence names the table as the file has it, and its line."""
    found = problems_of(f"{TWO}\n{addition}\n")
    assert any(told in line for line in found), found
    assert any(line.startswith("line ") for line in found)


def test_a_fault_in_a_common_table_is_told_once() -> None:
    """Whatever is wrong for all instances is one problem."""
    assert 1 == len(problems_of(TWO.replace("reserve_calls = 7", "reserve_calls = -1")))


def test_two_instances_never_share_a_place() -> None:
    """Rows of two subscriptions have the same ids: each needs tables of its own."""
    (found,) = problems_of(TWO.replace('schema = "marketo_us"', 'schema = "marketo"'))
    assert "is that of emea too: give each instance its own in [instances.us.destination]" in found


def test_which_of_several_has_to_be_said(tmp_path: Path) -> None:
    """A command that works on one instance takes no guess."""
    path = tmp_path / "two.toml"
    path.write_text(TWO)
    path.chmod(0o600)
    found = load_all(path)
    assert "us" == chosen(found, "us").instance.name
    with pytest.raises(ConfigError, match="has several instances: emea, us"):
        chosen(found, None)
    with pytest.raises(ConfigError, match="has no instance 'apac'"):
        chosen(found, "apac")


def test_a_variable_cannot_speak_of_several_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNCENGINE_INSTANCE__CLIENT_ID would give all of them the same."""
    monkeypatch.setenv("SYNCENGINE_INSTANCE__CLIENT_ID", "mine")
    assert "would say the same of every instance" in problems_of(TWO)[0]
