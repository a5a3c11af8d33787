"""The daemon's tables: schedule, watched folders, what it shows and whom it tells."""

from pathlib import Path

import pytest

from syncengine.config import parse
from syncengine.errors import ConfigError
from tests.unit.config.test_reading import GOOD

HERE = Path("/etc/syncengine.toml")


def problem_of(addition: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(GOOD + addition, path=HERE)
    return " | ".join(caught.value.problems)


def test_a_group_needs_a_time_and_nothing_else() -> None:
    """One that picks nothing out brings everything."""
    settings = parse(GOOD + '[schedule.nightly]\ncron = "30  2 * * *"', path=HERE)
    assert settings.schedule["nightly"].brings_everything
    assert "30 2 * * *" == settings.schedule["nightly"].cron


def test_watched_folders_lie_where_the_configuration_does() -> None:
    """A relative path starts at the file."""
    settings = parse(GOOD + '[import.inbox]\npath = "drop"', path=HERE)
    assert Path("/etc/drop") == settings.import_["inbox"].path


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ('[schedule.a]\ncron = "30 2 * *"', "schedule.a.cron takes five fields"),
        ('[schedule.a]\ncron = "61 2 * * *"', "schedule.a.cron is not a cron expression (bad minute)"),
        ('[schedule.a]\ncron = "0 0 30 2 *"', "schedule.a.cron"),
        ('[schedule.a]\ncron = "0 0 * * *"\nzone = "Europe/Berln"', "schedule.a.zone takes a zone such as"),
        ('[schedule.a]\nzone = "UTC"', "schedule.a.cron is missing: add it to [schedule.a]"),
        ('[schedule.a]\ncron = "0 0 * * *"\nmised = "skip"', 'did you mean "missed"?'),
        ('[schedule.a]\ncron = "0 0 * * *"\nstreams = ["lead"]', "an unknown stream"),
        ('[schedule.a]\ncron = "0 0 * * *"\nstreams = ["programs"]', "names programs, which is not brought"),
        ('[schedule.a]\ncron = "0 0 * * *"\nassets = true', "has no folder to bring them to"),
        ('[schedule.a]\ncron = "0 0 * * *"\nimports = ["inbx"]\n[import.inbox]\npath = "x"', 'did you mean "inbox"?'),
        ('[schedule.a]\ncron = "0 0 * * *"\ninstances = ["acm"]', 'did you mean "acme"?'),
        ('[schedule."a b"]\ncron = "0 0 * * *"', "is called by a short name"),
        ('[import.a]\npath = "x"\n[import.b]\npath = "x"', "import.b.path is the folder of [import.a] too"),
        ('[import.a]\nsettle_seconds = 3', "import.a.path is missing: add it to [import.a]"),
        ('[service]\nlisten = "8642"', "service.listen takes HOST:PORT"),
        ('[service]\nlisten = "0.0.0.0:8642"', "service.token is missing: others can reach 0.0.0.0:8642"),
        ('[notify]\nwebhook = "http://example.com/x"', "notify.webhook takes an https:// address"),
        ('[notify]\nmail_to = ["ops@example.com"]', "notify.smtp_host is missing"),
        ('[notify]\nsmtp_host = "mail.example.com"\nsmtp_security = "none"', 'takes "none" only with'),
        ('[notify]\non = ["failures"]', 'did you mean "failure"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_sentence(addition: str, told: str) -> None:
    """Each fault names its key, and what is taken instead."""
    assert told in problem_of(addition)


@pytest.mark.parametrize("listen", ["127.0.0.1:8642", "localhost:1", "[::1]:8642"])
def test_loopback_needs_no_token(listen: str) -> None:
    """Nobody else can reach it."""
    assert listen == parse(GOOD + f'[service]\nlisten = "{listen}"', path=HERE).service.listen


def test_a_webhook_is_a_secret() -> None:
    """Whoever has the address can write into the channel: it is shown nowhere, and not quoted when it is wrong."""
    assert "hooks" not in problem_of('[notify]\nwebhook = "http://hooks.example.com/T000"')


def test_variables_override_the_table_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNCENGINE_TABLE__KEY reaches every table."""
    monkeypatch.setenv("SYNCENGINE_IMPORT__INBOX__PATH", "elsewhere")
    settings = parse(GOOD + '[import.inbox]\npath = "drop"', path=HERE)
    assert Path("/etc/elsewhere") == settings.import_["inbox"].path


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Without the line's end; it is read anew with the configuration, so a secret can be replaced under a daemon."""
    path = tmp_path / "secret"
    text = GOOD.replace('"a secret"', f'"${{file:{path}}}"')
    for secret in ("first", "second"):
        path.write_text(f"{secret}\n")
        assert secret == parse(text, path=HERE, shared=True).instance.client_secret.reveal()
    path.unlink()
    with pytest.raises(ConfigError) as caught:
        parse(text, path=HERE)
    assert f"client_secret needs the file {path}, which cannot be read or is empty" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("cron", "minutes", "is_taken"), [("0 * * * *", 59, True), ("0 * * * *", 60, False), ("30 2 * * *", 720, True)]
)
def test_a_delay_is_shorter_than_what_lies_between_two_nights(cron: str, minutes: int, *, is_taken: bool) -> None:
    """A longer one would be overtaken by the next night, and nights would be left out without a word."""
    text = f'{GOOD}[schedule.a]\ncron = "{cron}"\nzone = "Europe/Berlin"\njitter_minutes = {minutes}'
    if is_taken:
        assert minutes == parse(text, path=HERE).schedule["a"].jitter_minutes
    else:
        with pytest.raises(ConfigError) as caught:
            parse(text, path=HERE)
        assert "schedule.a.jitter_minutes takes less than the 60 minutes" in caught.value.problems[0]


def test_two_folders_that_overlap_are_refused() -> None:
    """However they are spelt: what one has put into done/ would be a drop of the other."""
    for other in ("./drop/../drop", "drop/done"):
        found = problem_of(f'[import.a]\npath = "drop"\n[import.b]\npath = "{other}"')
        assert "is the folder of [import.a] too, or one of them lies in the other" in found
