"""A configuration as strangers may see it: how each key is set, without a secret and without the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncengine.config import load_all
from syncengine.config.shown import secrets_of, shown, written_in

TEXT = """
[instances.emea]
base_url = "https://123-ABC-456.mktorest.com"
client_id = "canary-client-id"
client_secret = "canary-${CANARY_PART}-secret"
[instances.emea.destination]
type = "postgres"
url = "postgresql://bob:${CANARY_PASSWORD}@db.example/x"
schema = "emea"
[instances.apac]
base_url = "https://123-ABD-456.mktorest.com"
client_id = "${CANARY_ID}"
client_secret = "${CANARY_SECRET}"
[instances.apac.destination]
type = "delta"
url = "s3://bucket/place"
[instances.apac.destination.storage_options]
aws_access_key_id = "${CANARY_KEY}"
[state]
path = "${CANARY_FOLDER}/state"
[sync]
start = 2026-01-01
streams = ["${CANARY_STREAM}", "activities"]
[privacy]
hash_key = "canary-hash-key-canary-hash-key"
[notify]
webhook = "https://hooks.example/canary-hook"
smtp_user = "canary-user"
smtp_password = "canary-smtp-password"
smtp_host = "mail.example.org"
mail_from = "a@example.org"
"""
ENVIRONMENT = {
    "CANARY_PART": "canary-part",
    "CANARY_PASSWORD": "canary-password",
    "CANARY_ID": "canary-other-id",
    "CANARY_SECRET": "canary-other-secret",
    "CANARY_KEY": "canary-access-key",
    "CANARY_FOLDER": "canary-folder",
    "CANARY_STREAM": "leads",
    "SYNCENGINE_LIMITS__SHARE": "0.123456",
    "SYNCENGINE_POLLING__EXPORT_SECONDS": "61.5",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a canary in each secret place, and the environment that it takes values from."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "nightly.toml"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def seen(path: Path) -> dict[str, dict[str, Any]]:
    written = written_in(path)
    return {each.instance.name: shown(each, written) for each in load_all(path)}


def texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [str(value)]


def test_no_secret_and_no_value_of_the_environment_is_shown(path: Path) -> None:
    """Wherever a canary sits, by itself or within other text."""
    values = {value for name, value in ENVIRONMENT.items() if name != "CANARY_STREAM"}
    shown_texts = [text for value in seen(path).values() for text in texts(value)]
    assert [] == [text for text in shown_texts if "canary" in text or text in values]


def test_each_key_says_how_it_is_set(path: Path) -> None:
    """Plain values as they are, secrets as set or not, others by the variable that they come from."""
    emea, apac = seen(path)["emea"], seen(path)["apac"]
    assert ("(set)", "(set)", "https://123-ABC-456.mktorest.com") == (
        emea["instance"]["client_id"],
        emea["instance"]["client_secret"],
        emea["instance"]["base_url"],
    )
    assert ("postgres", "(set)", "emea", 512) == tuple(
        emea["destination"][name] for name in ("type", "url", "schema", "memory_limit_mb")
    )
    assert {"aws_access_key_id": "(set)"} == apac["destination"]["storage_options"]
    assert ("${CANARY_FOLDER}/state", ["${CANARY_STREAM}", "activities"]) == (
        emea["state"]["path"],
        apac["sync"]["streams"],
    )
    assert ("(set by SYNCENGINE_LIMITS__SHARE)", 100) == (
        emea["limits"]["share"],
        emea["limits"]["calls_per_window"],
    )
    assert ("(set)", "(set)", "(set)", "(not set)") == (
        emea["notify"]["webhook"],
        emea["notify"]["smtp_user"],
        emea["notify"]["smtp_password"],
        emea["service"]["token"],
    )


def test_all_secrets_are_known_for_a_last_redaction(path: Path) -> None:
    """Each canary, whole or as the part that the environment gave; and passwords out of addresses."""
    found = secrets_of(load_all(path), written_in(path))
    assert set(ENVIRONMENT.values()) <= found
    assert {"canary-client-id", "canary-hash-key-canary-hash-key", "https://hooks.example/canary-hook"} <= found
    assert {"canary-user", "canary-smtp-password", "canary-canary-part-secret"} <= found


@pytest.mark.parametrize("spoilt", ["[instance\n", 'limits = "no table"\n', "\x00"])
def test_of_a_file_that_is_no_configuration_suspects_are_secrets(path: Path, spoilt: str) -> None:
    """Whatever stands where secrets usually stand, whether or not the file is TOML."""
    path.write_text(f"{TEXT}\n{spoilt}")
    found = secrets_of((), written_in(path))
    assert {"canary-client-id", "canary-hash-key-canary-hash-key", "canary-smtp-password", "canary-user"} <= found
    assert {"canary-password", "canary-other-secret"} <= found
    assert "https://123-ABC-456.mktorest.com" not in found


def test_a_file_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    """Nobody fails for it."""
    assert ("", {}) == (written_in(tmp_path / "none.toml").text, written_in(tmp_path / "none.toml").document)
