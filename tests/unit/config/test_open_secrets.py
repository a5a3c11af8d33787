"""Which secrets stand in plain sight in a file, and what may be written there."""

from pathlib import Path
from typing import Any

import pytest

from syncengine.config import parse
from syncengine.config.open_secrets import open_secrets
from syncengine.errors import ConfigError


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"instance": {"client_secret": "hunter2"}}, ("instance.client_secret", "MARKETO_CLIENT_SECRET")),
        ({"privacy": {"hash_key": "half${HALF}"}}, ("privacy.hash_key", "SYNCENGINE_HASH_KEY")),
        ({"destination": {"url": "postgresql://me:hunter2@db/w"}}, ("destination.url", "DATABASE_URL")),
        ({"destination": {"url": "postgresql://${ME}:hunter${TWO}@db/w"}}, ("destination.url", "DATABASE_URL")),
        ({"destination": {"url": "host=db password = hunter2"}}, ("destination.url", "DATABASE_URL")),
        ({"destination": {"url": "password=hunter2 host=db"}}, ("destination.url", "DATABASE_URL")),
        ({"destination": {"url": "postgresql://db/w?user=me&password=hunter2"}}, ("destination.url", "DATABASE_URL")),
        (
            {"destination": {"storage_options": {"aws_secret_access_key": "hunter2"}}},
            ("destination.storage_options.aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        ),
    ],
)
def test_a_secret_that_is_written_out_is_found(document: dict[str, Any], found: tuple[str, str]) -> None:
    """Its key is named, with the variable to take it from."""
    assert [found] == [(".".join(key), variable) for key, variable in open_secrets(document)]


@pytest.mark.parametrize(
    "document",
    [
        {"instance": {"client_secret": "${A}"}, "privacy": {"hash_key": "${B}"}},
        {"destination": {"url": "${DATABASE_URL}"}},
        {"destination": {"url": "postgresql://me@db:5432/w"}},
        {"destination": {"url": "postgresql://me:${PASSWORD}@db:5432/w"}},
        {"destination": {"url": "password=${PASSWORD} host=db"}},
        {"destination": {"url": "postgresql://db/w?password=${PASSWORD}&sslmode=require"}},
        {"destination": {"storage_options": {"AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "${KEY}"}}},
        {"destination": {"storage_options": "no table"}, "instance": 5},
    ],
)
def test_what_is_no_secret_may_stand_there(document: dict[str, Any]) -> None:
    """Variables, addresses without a password and regions; what is malformed is for others to tell."""
    assert [] == list(open_secrets(document))


def test_a_file_that_others_can_read_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told at its line, without its text; where the file is private they are fine."""
    monkeypatch.setenv("SECRET", "from outside")
    text = """\
[instance]
name = "acme"
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "${SECRET}"
[sync]
start = 2023-01-01
[privacy]
hash_key = "hunter2-hunter2-hunter2"
[destination]
type = "postgres"
url = "postgresql://me:hunter2@db/w"
"""
    with pytest.raises(ConfigError) as caught:
        parse(text, path=Path("a.toml"), shared=True)
    told = caught.value.problems
    assert [
        "line 9: privacy.hash_key can be read by others: chmod 600 a.toml",
        "line 12: destination.url can be read by others: chmod 600 a.toml",
    ] == [each.partition(",")[0] for each in told]
    assert "hunter2" not in str(told)
    settings = parse(text, path=Path("a.toml"))
    assert "hunter2" not in repr(settings)
