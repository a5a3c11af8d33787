"""Names of Marketo's as names of files."""

import re
import unicodedata
from collections.abc import Mapping
from itertools import accumulate
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.assets.names import BASE_BYTES_MAX, alike, apart, cut, digest, escaped, is_unsafe, mark, safe
from tests.unit.assets.made import HOSTILE, same_for_a_disk

DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE | re.DOTALL)
COMPONENT_BYTES_MAX = 255
LEFT_FOR_A_TAG = COMPONENT_BYTES_MAX - len(".tag_type.json")
KEYS = st.integers(1, 9)


def composed(name: str) -> str:
    """A name with its accents in the form that most systems write."""
    return unicodedata.normalize("NFC", name)


def is_safe(text: str) -> bool:
    """Whether a text is one component of a path everywhere, neither hidden nor a device nor cut by Windows."""
    return (
        PurePosixPath(text).parts == (text,)
        and PureWindowsPath(text).parts == (text,)
        and not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', text)
        and not text.startswith((".", " "))
        and not text.endswith((".", " "))
        and not DEVICE.fullmatch(text)
    )


@given(HOSTILE, st.booleans())
def test_any_name_becomes_one_safe_component(name: str, dots: bool) -> None:
    """Of at most 120 bytes of UTF-8, whatever it holds."""
    text = safe(name, dots=dots)
    assert is_safe(text)
    assert len(text.encode("utf-8")) <= BASE_BYTES_MAX
    assert dots or "." not in text


@given(HOSTILE, HOSTILE)
def test_two_names_stay_two(one: str, other: str) -> None:
    """Unless they differ in nothing but the way in which accents are composed."""
    assert (composed(one) == composed(other)) == (safe(one) == safe(other))


@given(HOSTILE)
def test_a_name_that_fits_can_be_read_back(name: str) -> None:
    """What is escaped is escaped as in an address; what was cut says so with a `~`."""
    text = safe(name)
    if "~" in text:
        assert len(text.encode()) > BASE_BYTES_MAX - 20
    elif name:
        assert unquote_to_bytes(text).decode("utf-8", "surrogatepass") == composed(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Spring Newsletter (v2)", "Spring Newsletter (v2)"),
        ("../x", "%2E.%2Fx"),
        ("..", "%2E%2E"),
        (".git", "%2Egit"),
        ("", "%"),
        ("100%", "100%25"),
        ("CON", "%43ON"),
        ("con.txt", "%63on.txt"),
        ("Console", "Console"),
        ("LPT\u00b2 .x", "%4CPT\u00b2 .x"),
        ("ends with a dot.", "ends with a dot%2E"),
        (" blanks ", "%20blanks%20"),
        ("a~b", "a%7Eb"),
        ("line\nbreak", "line%0Abreak"),
        ("turned\u202eround", "turned%E2%80%AEround"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("\U0001f469\u200d\U0001f680 \U0001f600", "\U0001f469\u200d\U0001f680 \U0001f600"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_a_name_is_changed_as_little_as_possible(name: str, text: str) -> None:
    """Letters of all scripts, emoji and blanks stay readable."""
    assert text == safe(name)


def test_a_long_name_keeps_its_beginning() -> None:
    """And ends with a hash of all of it; neither a letter nor an escape is cut in two."""
    one, other = safe("a" * 300), safe("a" * 299 + "b")
    assert one.startswith("a" * 111 + "~")
    assert one != other
    assert (len(one), len(other)) == (BASE_BYTES_MAX, BASE_BYTES_MAX)
    assert re.fullmatch("\U0001f600{27}~[0-9a-f]{8}", safe("\U0001f600" * 300))
    assert re.fullmatch("(%3F){37}~[0-9a-f]{8}", safe("?" * 300))
    assert re.fullmatch("a(%3F){36}~[0-9a-f]{8}", safe("a" + "?" * 300))
    assert "a" * BASE_BYTES_MAX == safe("a" * BASE_BYTES_MAX)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Stra\u00dfe", "STRASSE"), ("\ufb01le", "FILE"), ("K", "\u212a"), ("\u00e9", "E\u0301"), ("\u03c3", "\u03c2")],
)
def test_what_a_disk_may_take_for_one_is_alike(one: str, other: str) -> None:
    """Neither case nor composition tells names apart."""
    assert alike(one) == alike(other)
    assert alike(one) != alike(one + "x")


@given(st.dictionaries(KEYS, HOSTILE.map(safe), max_size=8), st.lists(HOSTILE.map(safe), max_size=2))
def test_names_of_one_folder_are_told_apart(named: dict[int, str], besides: list[str]) -> None:
    """No two are alike, nor like one that is taken; the order in which they came says nothing."""
    keyed = {(key,): text for key, text in named.items()}
    found = apart(keyed, besides=besides)
    folded = [same_for_a_disk(text) for text in (*found.values(), *dict.fromkeys(besides))]
    assert len({*folded}) == len(found) + len({same_for_a_disk(text) for text in besides})
    assert found == apart(dict(sorted(keyed.items(), reverse=True)), besides=besides)
    assert all(is_safe(text) and len(text.encode()) < COMPONENT_BYTES_MAX for text in found.values())


@given(st.dictionaries(KEYS, HOSTILE.map(safe), min_size=1))
def test_the_oldest_keeps_its_own_name(named: dict[int, str]) -> None:
    """What is new in a folder never renames what is there already."""
    found = apart({(key,): text for key, text in named.items()})
    assert found[min(named),] == named[min(named)]
    older = {key: text for key, text in named.items() if key != max(named)}
    assert {key: text for key, text in found.items() if key != (max(named),)} == apart(
        {(key,): text for key, text in older.items()}
    )


def test_of_names_that_are_alike_the_younger_get_their_ids() -> None:
    """Numbers are older the smaller they are; whatever has the name with the id already is minded."""
    named: Mapping[tuple[int], str] = {(30,): "News", (4,): "NEWS", (100,): "news"}
    assert {(4,): "NEWS", (30,): "News~30", (100,): "news~100"} == apart(named)
    assert {(1, 7): "_Instance~7"} == apart({(1, 7): "_Instance"}, besides=["_instance"])
    assert {(1,): "x", (2,): "x~3", (3,): "X~3~3"} == apart({(1,): "x", (2,): "x~3", (3,): "X"})
    assert {("a",): "x", ("b",): "X~b"} == apart({("b",): "X", ("a",): "x"})


@given(HOSTILE, st.integers(0, 30))
def test_a_name_is_cut_between_letters(name: str, more: int) -> None:
    """Neither a letter nor an escape is taken apart, and as much is kept as fits."""
    letters = [escaped(each) if is_unsafe(each) else each for each in composed(name)] * (1 + more)
    text = cut(letters, name)
    if text != "".join(letters):
        kept, _, hashed = text.rpartition("~")
        assert digest(name) == hashed
        places = list(accumulate(map(len, letters[:-1]), initial=0))
        assert len(kept) in places
        assert kept == "".join(letters)[: len(kept)]
        following = letters[places.index(len(kept)) :]
        size = len(kept.encode()) + len(next(each for each in following if each).encode())
        assert len(text.encode()) <= BASE_BYTES_MAX < size + 1 + len(hashed)
    else:
        assert len(text.encode()) <= BASE_BYTES_MAX


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (7, "7"),
        (1234567890, "1234567890"),
        ("region", "region"),
        ("9f1", "9f1"),
        ("a" * 20, "a" * 20),
        ("a" * 21, None),
        ("Region", None),
        ("a-b", None),
        ("../x", None),
        ("a\n", None),
        ("\u00e9", None),
        ("\u0663", None),
        ("", None),
        (-1, None),
    ],
)
def test_an_id_that_is_not_short_and_plain_is_hashed(identity: int | str, text: str | None) -> None:
    """What tells names apart is itself told apart by every disk."""
    assert (text or digest(str(identity))) == mark(identity)
    assert re.fullmatch("[a-z0-9]{1,20}", mark(identity))


@given(st.dictionaries(HOSTILE.filter(bool), st.sampled_from(["x", "X"]), max_size=4))
def test_ids_that_are_texts_are_made_safe_too(named: dict[str, str]) -> None:
    """The name of a tag is its id: told apart by it, it is still one component, and no path."""
    found = apart({(key,): text for key, text in named.items()})
    assert all(
        is_safe(text) and len(text.encode("utf-8", "surrogatepass")) <= LEFT_FOR_A_TAG for text in found.values()
    )
