"""From text and environment to settings, or to every problem at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncengine.config import STREAMS, find, load, parse
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
KNOWN = f"{', '.join(STREAMS)}, custom_object_*, or * for all"


def problems_of(text: str, *, shared: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text, path=HERE, shared=shared)
    return caught.value.problems


def test_small_file_is_enough() -> None:
    """Credentials and a start are all that has no default."""
    settings = parse(GOOD, path=HERE)
    assert "acme" == settings.instance.name
    assert datetime(2023, 1, 1, tzinfo=UTC) == settings.sync.start
    assert ("leads", "activities", "deleted_leads", "activity_types") == settings.sync.streams
    assert 100 == settings.limits.calls_per_window
    assert set(settings.sync.streams) == set(settings.streams)


def test_every_problem_is_listed_at_once_in_the_order_of_the_file() -> None:
    """A user mends a file in one go: each sentence names line and key, and says what is taken."""
    found = problems_of(
        """\
[instance]
name = "ac me"
base_url = "http://123-ABC-456.mktorest.com"
client_id = 5
[limits]
calls_per_windw = 3
in_flight = 0
share = nan
[sync]
start = 2023-01-01T00:00:00
streams = ["lead"]
[streams.leed]
[destination]
type = "duckdbb"
"""
    )
    expected = (
        "line 1: instance.client_secret is missing: add it to [instance]",
        "line 2: instance.name takes a short name of letters, digits, - and _ that starts with a letter or digit",
        (
            "line 3: instance.base_url must be https://123-ABC-456.mktorest.com: "
            "credentials travel only by https and its standard port"
        ),
        "line 4: instance.client_id takes a text in quotes",
        'line 6: limits.calls_per_windw is not a key of [limits] (did you mean "calls_per_window"?)',
        "line 7: limits.in_flight takes a number from 1 to 1,000, not 0",
        "line 8: limits.share takes a number from 0.01 to 1, not nan",
        "line 10: sync.start has a time without an offset: add Z (UTC) or an offset such as +02:00",
        f'line 11: sync.streams names "lead", an unknown stream (did you mean "leads"?); known: {KNOWN}',
        f'line 12: streams.leed names "leed", an unknown stream (did you mean "leads"?); known: {KNOWN}',
        (
            'line 14: destination.type names an unknown kind of destination (did you mean "duckdb"?); '
            "known: duckdb, postgres, delta, parquet"
        ),
    )
    assert expected == found


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[limts]", 'line 10: limts is not a table of the configuration (did you mean "limits"?)'),
        ("limits = 5", "line 10: limits is a table, not 5"),
        ("[limits]\nin_flight = true", "line 11: limits.in_flight takes a number, not true or false"),
        ("[limits]\nin_flight = 1.5", "line 11: limits.in_flight takes a whole number, not 1.5"),
        (
            "[limits]\ncalls_per_day = 5\nreserve_calls = 5",
            "line 10: limits reserve_calls leaves nothing of calls_per_day",
        ),
        (
            "[streams.leads]\nfields = []",
            'line 11: streams.leads.fields takes at least one field, or ["*"] for all of them',
        ),
        (
            '[streams.leads]\nfields = ["a"]\nexclude = ["a"]',
            "line 10: streams.leads fields and exclude both name a",
        ),
        (
            '[streams.leads]\nexclude = ["email"]\nhash = ["email"]',
            "line 10: streams.leads exclude and hash both name email: what is left out is not hashed",
        ),
        ('[state]\npath = ""', "line 11: state.path is empty"),
    ],
)
def test_each_mistake_has_its_sentence(line: str, sentence: str) -> None:
    """What is not understood, or not built yet, is refused rather than ignored."""
    text = GOOD if line.startswith("[") else ""
    found = problems_of(f"{GOOD}\n{line}" if text else f"{line}\n{GOOD}")
    assert (sentence if text else sentence.replace("line 10", "line 1"),) == found


def test_missing_tables_are_named() -> None:
    """An empty file gets one sentence for each table that it needs."""
    hint = "`syncengine init` writes one to fill in"
    assert (
        f"instance is missing: add a table [instance]; {hint}",
        f"sync is missing: add a table [sync]; {hint}",
    ) == problems_of("")


def test_the_ingestion_api_is_adobes_or_a_sandboxs() -> None:
    """People's rows go to no other host, whatever a configuration says."""
    assert "https://mkto-ingestion-api.adobe.io" == parse(GOOD, path=HERE).imports.ingestion_url
    local = parse(GOOD + '[imports]\ningestion_url = "http://127.0.0.1:8080/"\n', path=HERE)
    assert "http://127.0.0.1:8080" == local.imports.ingestion_url
    (problem,) = problems_of(GOOD + '[imports]\ningestion_url = "https://example.com"\n')
    assert "must be https://mkto-ingestion-api.adobe.io" in problem


def test_broken_toml_says_where() -> None:
    """A syntax error is told with its line."""
    (problem,) = problems_of("[instance]\nname = open")
    assert problem.startswith("it is not valid TOML: ")
    assert "line 2" in problem


def test_time_scale_is_for_loopback_alone() -> None:
    """A fast clock against the real Marketo would break every limit."""
    scaled = GOOD.replace("[sync]", "time_scale = 60\n[sync]")
    (problem,) = problems_of(scaled)
    assert "time_scale is for a sandbox on loopback" in problem
    local = scaled.replace("https://123-ABC-456.mktorest.com", "http://127.0.0.1:8080")
    assert 60.0 == parse(local, path=HERE).instance.time_scale


def test_variables_fill_in_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} takes the environment's value, within a text too."""
    monkeypatch.setenv("TEST_ID", "from outside")
    settings = parse(GOOD.replace("an id", "${TEST_ID}!"), path=HERE)
    assert "from outside!" == settings.instance.client_id


def test_missing_variables_are_named() -> None:
    """A variable that is not set is told by its name, and nothing else is said of its key."""
    found = problems_of(GOOD.replace("a secret", "${TEST_NOT_SET}"))
    assert (
        "line 5: instance.client_secret needs the environment variable TEST_NOT_SET, which is not set or empty",
    ) == found


def test_overrides_win_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNCENGINE_TABLE__KEY sets a key, and the file's variable for it is not needed then."""
    monkeypatch.setenv("SYNCENGINE_INSTANCE__CLIENT_SECRET", "override")
    monkeypatch.setenv("SYNCENGINE_LIMITS__SHARE", "0.5")
    monkeypatch.setenv("SYNCENGINE_STREAMS__LEADS__FIELDS", "id, email")
    settings = parse(GOOD.replace("a secret", "${TEST_NOT_SET}"), path=HERE)
    assert "override" == settings.instance.client_secret.reveal()
    assert 0.5 == settings.limits.share
    assert ("id", "email") == settings.streams["leads"].fields


def test_a_problem_of_an_override_names_the_variable_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes from the environment may be a secret in the wrong place."""
    monkeypatch.setenv("SYNCENGINE_LIMITS__IN_FLIGHT", "hunter2")
    monkeypatch.setenv("SYNCENGINE_LIMIT__SHARE", "1")
    found = problems_of(GOOD)
    assert {
        "SYNCENGINE_LIMITS__IN_FLIGHT: limits.in_flight takes a whole number",
        'SYNCENGINE_LIMIT__SHARE: limit.share is not a key of the configuration (did you mean "limits"?)',
    } == set(found)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("SYNCENGINE_LIMITS_SHARE", "did you mean SYNCENGINE_LIMITS__SHARE, with two underscores?"),
        ("SYNCENGINE_SYNC_START", "did you mean SYNCENGINE_SYNC__START, with two underscores?"),
        ("SYNCENGINE_LIMIT__SHARE", 'did you mean "limits"?'),
        ("SYNCENGINE_NONSENSE__KEY", "is not a key of the configuration"),
    ],
)
def test_an_override_that_would_set_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, said: str
) -> None:
    """Whoever sets a variable means something by it: one that no key answers to is told, with what is near."""
    monkeypatch.setenv(variable, "0.1")
    (problem,) = problems_of(GOOD)
    assert problem.startswith(variable)
    assert said in problem


def test_variables_that_the_file_uses_or_others_set_are_no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret's own variable may begin like ours, and a cluster sets some for a service of our name."""
    monkeypatch.setenv("SYNCENGINE_INSTANCE_SECRET", "hunter2")
    monkeypatch.setenv("SYNCENGINE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SYNCENGINE_PORT", "tcp://10.0.0.1:80")
    text = GOOD.replace('"a secret"', '"${SYNCENGINE_INSTANCE_SECRET}"')
    assert "hunter2" == parse(text, path=HERE).instance.client_secret.reveal()


@pytest.mark.parametrize("variable", ["SYNCENGINE_CONFIG", "SYNCENGINE_DEBUG"])
def test_the_engines_own_variables_are_no_overrides(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """They say where the file is and how much to show, not what is in it."""
    monkeypatch.setenv(variable, "1")
    assert "acme" == parse(GOOD, path=Path("syncengine.toml")).instance.name


def test_an_unreadable_override_of_a_table_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole table in a variable has to be JSON."""
    monkeypatch.setenv("SYNCENGINE_LIMITS", "not json")
    (problem,) = problems_of(GOOD)
    assert "limits" in problem
    assert "not json" not in problem


def test_secret_in_a_file_that_others_can_read_is_refused() -> None:
    """A literal secret needs a private file, one with a variable at its end too; a variable's name does not."""
    (half,) = problems_of(GOOD.replace('"a secret"', '"hunter2${HOME}"'), shared=True)
    assert "can be read by others" in half
    (problem,) = problems_of(GOOD, shared=True)
    assert problem.startswith("line 5: instance.client_secret can be read by others: chmod 600 ")
    assert "a secret" not in problem


def test_mode_of_the_file_decides(tmp_path: Path) -> None:
    """0600 is enough, one bit more is not."""
    path = tmp_path / "syncengine.toml"
    path.write_text(GOOD)
    path.chmod(0o600)
    assert "acme" == load(path).instance.name
    path.chmod(0o640)
    with pytest.raises(ConfigError):
        load(path)


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    """Where the command is run makes no difference."""
    text = GOOD + '[state]\npath = "mine"\n[destination]\npath = "/abs/w.duckdb"\n[network]\nca_file = "ca.pem"'
    settings = parse(text, path=tmp_path / "a.toml")
    assert tmp_path / "mine" == settings.state.path
    assert Path("/abs/w.duckdb") == settings.destination.path
    assert tmp_path / "ca.pem" == settings.network.ca_file


def test_secrets_do_not_show() -> None:
    """Neither settings nor errors print a secret."""
    assert "a secret" not in repr(parse(GOOD, path=HERE))
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace('client_secret = "a secret"', 'client_secret = ["a secret"]'), path=HERE)
    assert "a secret" not in str(caught.value.problems)


def test_lookback_falls_back_to_the_global_one() -> None:
    """A stream's own lookback wins."""
    settings = parse(GOOD + "lookback_hours = 12\n[streams.leads]\nlookback_hours = 48", path=HERE)
    assert (48.0, 12.0) == (settings.lookback_hours("leads"), settings.lookback_hours("activities"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"a = " + b"[" * 5000])
def test_unreadable_files_are_config_errors(tmp_path: Path, content: bytes | None) -> None:
    """A file that is absent, not text or absurd ends with a sentence."""
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    """The operating system's reason is told."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_found_by_option_then_variable_then_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is nearer to the command wins."""
    monkeypatch.delenv("SYNCENGINE_CONFIG", raising=False)
    assert Path("syncengine.toml") == find()
    monkeypatch.setenv("SYNCENGINE_CONFIG", "other.toml")
    assert Path("other.toml") == find()
    assert Path("given.toml") == find(Path("given.toml"))
