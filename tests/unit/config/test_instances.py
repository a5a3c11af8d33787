"""[instances.NAME], the long form of [instance]."""

from pathlib import Path

import pytest

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


def test_one_named_instance_is_the_long_form() -> None:
    """[instances.NAME] is [instance] with its name."""
    text = GOOD.replace("[instance]\nname = ", "[instances.acme]\n# ")
    assert parse(GOOD, path=HERE) == parse(text, path=HERE)


@pytest.mark.parametrize(
    "addition",
    ['[instances.other]\nname = "x"', '[instances.a]\n[instances.b]\n[instance]\nname="x"', "instances = 3"],
)
def test_several_instances_are_refused(addition: str) -> None:
    """More than one instance is for later; two spellings of one are a mistake."""
    text = GOOD + addition if addition.startswith("[") else f"{addition}\n{GOOD}"
    with pytest.raises(ConfigError):
        parse(text, path=HERE)
