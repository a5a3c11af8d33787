"""What the verbs have in common: which configuration, and which instance of it."""

from pathlib import Path

import pytest

from syncengine.cli.app import main
from syncengine.cli.options import Common
from syncengine.errors import ConfigError

TEXT = """\
[instances.acme]
base_url = "https://123-ABC-456.mktorest.com"
client_id = "id"
client_secret = "canary-secret"
[instances.emea]
base_url = "https://123-ABC-457.mktorest.com"
client_id = "id"
client_secret = "canary-secret"
destination = { path = "emea.duckdb" }
[sync]
start = 2026-01-01
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with two instances."""
    monkeypatch.delenv("SYNCENGINE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "nightly.toml"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def names(config: Path, instance: str | None = None) -> list[str]:
    return [each.instance.name for each in Common(config=config, instance=instance).all_settings()]


def test_all_instances_or_the_one_that_is_named(config: Path) -> None:
    """A daemon keeps all of them, a command works on one."""
    assert (["acme", "emea"], ["emea"]) == (names(config), names(config, "emea"))
    assert "emea" == Common(config=config, instance="emea").settings().instance.name


def test_an_instance_that_there_is_not_is_refused(config: Path) -> None:
    """With those that there are, and the nearest name."""
    for ask in (lambda: names(config, "emae"), lambda: Common(config=config, instance="emae").settings()):
        with pytest.raises(ConfigError, match="emae") as caught:
            ask()
        assert "emea" in f"{caught.value.message} {caught.value.problems} {caught.value.advice}"


def test_a_command_on_several_instances_has_to_be_told_which(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It guesses none, and says how to choose; the short option is the same."""
    assert config.exists()
    assert 2 == main(["status", "-c", "nightly.toml"])
    told = capsys.readouterr().err
    assert "--instance" in told
    assert "acme" in told
    assert 0 == main(["status", "-c", "nightly.toml", "-i", "emea"])
    assert "emea" in capsys.readouterr().out
