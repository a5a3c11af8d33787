"""Which streams can be chosen, what they need of each other, and what [streams.NAME] takes."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.config import STREAMS, Settings, parse
from syncengine.config.streams import CHOSEN_BY, CUSTOM_OBJECT, CUSTOM_OBJECTS, DEFAULT_STREAMS
from syncengine.errors import ConfigError
from syncengine.exports import streams as table
from syncengine.exports.due import Wanted

GOOD = """\
[instance]
name = "acme"
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "a secret"
[sync]
start = 2023-01-01
"""
# Every stream that needs no choice, nor a stream that does.
UNCHOSEN = tuple(name for name in STREAMS if name not in {*CHOSEN_BY, "named_accounts"})


def read(text: str) -> Settings:
    return parse(GOOD + text, path=Path("syncengine.toml"))


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value.problems


def test_names_and_needs_are_those_of_the_table() -> None:
    """The configuration knows every stream that can be brought, which come by default, and what each needs."""
    assert {name: each.needs for name, each in table.STREAMS.items()} == dict(STREAMS)
    assert tuple(name for name, each in table.STREAMS.items() if each.is_default) == DEFAULT_STREAMS
    assert table.CUSTOM_OBJECT + "*" == CUSTOM_OBJECTS


def test_what_a_stream_needs_can_be_chosen() -> None:
    """Choices fall on streams that there are, by keys that reach the plan."""
    assert set(CHOSEN_BY) <= set(table.STREAMS)
    assert set(CHOSEN_BY.values()) <= set(Wanted.__dataclass_fields__)


@pytest.mark.parametrize("name", STREAMS)
def test_each_stream_can_be_synced(name: str) -> None:
    """With what it needs before it, and with its choice, each is taken."""
    needed = [name]
    for each in needed:
        needed += STREAMS[each]
    chosen = "[streams.list_members]\nlists = [7]\n[streams.named_account_lists]\nnames = ['a']\n"
    assert set(needed) == set(read(f"streams = {needed}\n{chosen}").sync.streams)


def test_a_star_is_every_stream() -> None:
    """And every custom object; those that need a choice come where it was made."""
    assert (*UNCHOSEN, CUSTOM_OBJECTS) == read('streams = ["*"]').sync.streams
    chosen = "[streams.list_members]\nlists = [7]\n[streams.named_account_lists]\nnames = ['a']"
    assert (*STREAMS, CUSTOM_OBJECTS) == read(f'streams = ["*"]\n{chosen}').sync.streams


def test_custom_objects_are_chosen_one_by_one_or_all() -> None:
    """By their API names, or by a star for those that the instance has."""
    assert ("custom_object_car_c",) == read('streams = ["custom_object_car_c"]').sync.streams
    assert ("leads", CUSTOM_OBJECTS) == read('streams = ["leads", "custom_object_*"]').sync.streams
    everything = read('streams = ["*", "custom_object_car_c"]').sync.streams
    assert ("custom_object_car_c", CUSTOM_OBJECTS) == everything[-2:]


@pytest.mark.parametrize("name", ["custom_object_", "custom_object_a-b", "custom_object_a b", "custom_object_ä", "x*"])
def test_names_that_no_object_can_have_are_refused(name: str) -> None:
    """An API name is letters, digits and underscores; other patterns are none."""
    assert not CUSTOM_OBJECT.fullmatch(name)
    (problem,) = problems_of(f'streams = ["{name}"]')
    assert problem.startswith("line 8: sync.streams names ")


def test_a_stream_without_its_keys_is_told() -> None:
    """The key, the stream that is missing and both ways out."""
    assert (
        (
            "line 8: sync.streams has opportunities, which takes its keys from opportunity_roles: "
            "add opportunity_roles, or leave opportunities out"
        ),
    ) == problems_of('streams = ["leads", "opportunities"]')


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'streams = ["list_members"]',
            "streams.list_members.lists is missing: list_members brings the lists that are named there",
        ),
        (
            'streams = ["named_account_lists"]',
            "streams.named_account_lists.names is missing: named_account_lists brings the names that are named there",
        ),
        ("[streams.leads]\nlists = [7]", "line 9: streams.leads.lists belongs to [streams.list_members] alone"),
        (
            '[streams.leads]\nnames = ["a"]',
            "line 9: streams.leads.names belongs to [streams.named_account_lists] alone",
        ),
        ("[streams.list_members]\nlists = [0]", "line 9: streams.list_members.lists takes ids from 1 on, not 0"),
        ("[streams.list_members]\nlists = [7, 7]", "line 9: streams.list_members.lists names 7 twice"),
        (
            "[streams.list_members]\nlists = [true]",
            "line 9: streams.list_members.lists takes a list of ids such as [1001, 1002]",
        ),
        ('[streams.list_members]\nlists = ["x"]', "line 9: streams.list_members.lists takes a whole number, not 'x'"),
        (
            '[streams.leads]\nfull = "dayly"',
            "line 9: streams.leads.full names an unknown interval; known: never, weekly, monthly",
        ),
        (
            '[streams.leads]\nhash = ["email"]',
            (
                "privacy.hash_key is missing: [streams.leads] hashes fields. "
                'Add hash_key = "${SYNCENGINE_HASH_KEY}" to [privacy]'
            ),
        ),
        (
            '[privacy]\nhash_key = "too short"',
            "line 9: privacy.hash_key takes a secret of at least 16 characters",
        ),
    ],
)
def test_each_mistake_has_its_sentence(text: str, sentence: str) -> None:
    """What a stream needs and does not have, and what belongs to another, is told before anything is asked."""
    assert (sentence,) == problems_of(text)


def test_what_is_special_of_a_stream_is_kept() -> None:
    """Choices of fields with patterns, its full reads, and how its deletions are treated."""
    text = """
[streams.leads]
fields = ["email", "custom*"]
exclude = ["notes?"]
hash = ["email"]
full = "weekly"
hard_delete = true
[streams.activities]
full = "monthly"
[privacy]
hash_key = "0123456789abcdef"
"""
    settings = read(text)
    leads = settings.streams["leads"]
    assert (("email", "custom*"), ("notes?",), ("email",)) == (leads.fields, leads.exclude, leads.hash)
    assert (timedelta(days=7), True) == (leads.full_every, leads.hard_delete)
    assert (timedelta(days=30), False) == (
        settings.streams["activities"].full_every,
        settings.streams["activities"].hard_delete,
    )
    assert settings.streams["deleted_leads"].full_every is None
    assert settings.privacy.hash_key is not None
    assert "0123456789abcdef" == settings.privacy.hash_key.reveal()
    assert "0123456789abcdef" not in repr(settings)


@pytest.mark.parametrize(("text", "ids"), [("7", (7,)), ("7, 8", (7, 8)), ("[7, 8]", (7, 8))])
def test_lists_can_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, text: str, ids: tuple[int, ...]) -> None:
    """An environment variable has one id, several with commas, or a list."""
    monkeypatch.setenv("SYNCENGINE_STREAMS__LIST_MEMBERS__LISTS", text)
    assert ids == read('streams = ["list_members"]').streams["list_members"].lists


def test_a_mistyped_stream_hides_no_other_problem() -> None:
    """All are told at once: values that are wrong, and what does not fit together without them."""
    found = problems_of(
        'streams = ["leads", "activites"]\n[streams.leads]\nhash = ["email"]\n'
        '[destination]\ntype = "parquet"\npath = "x"\nguarantee = "transactional"\n'
    )
    keys = ("sync.streams", "privacy.hash_key", "destination.guarantee")
    assert 3 == len(found)
    assert all(any(key in problem for problem in found) for key in keys)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('streams = ["opportunities", "opportunity_rolls", "leads"]\n', "sync.streams"),
        ('streams = ["list_members"]\n[streams.list_members]\nlists = [0]\n', "streams.list_members.lists"),
        ('[destination]\ntype = "postgress"\nurl = "postgresql://here/db"\n', "destination.type"),
    ],
)
def test_what_follows_from_a_wrong_value_is_not_told(text: str, key: str) -> None:
    """One slip is one sentence: a stream that is missing because its name is mistyped is not asked for as well."""
    (problem,) = problems_of(text)
    assert key in problem
