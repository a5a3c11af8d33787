"""Where assets lie."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.assets.documents import Asset, Key, Listed, Place
from syncengine.assets.kinds import KINDS
from syncengine.assets.places import INSTANCE, PATH_BYTES_MAX, UNFILED, Node, Places
from tests.unit.assets.made import HOSTILE, same_for_a_disk, seen

PLACES = st.builds(Place, st.sampled_from(["Folder", "Program"]), st.integers(1, 5))
HOMES = st.none() | PLACES
NAMES = st.sampled_from(["News", "NEWS", "news.email.json", "News.EMAIL", "news.form", "_Unfiled", "x.email.draft"])
TREES = st.dictionaries(PLACES, st.builds(Node, NAMES | HOSTILE, HOMES), max_size=8)
SOME_KINDS = st.sampled_from(["folder", "program", "email", "email_v2", "file", "form", "channel"])
ENDINGS = (".html", ".json", ".png")


@st.composite
def lists(draw: st.DrawFn) -> list[Listed]:
    """What the lists say: assets of several kinds with ids that they share, some in two versions."""
    found: dict[Key, Listed] = {}
    for _ in range(draw(st.integers(0, 10))):
        kind, number = draw(SOME_KINDS), draw(st.integers(1, 4))
        version = draw(st.sampled_from(KINDS[kind].statuses))
        key = Key(Asset(kind, str(number) if KINDS[kind].has_text_ids else number), version)
        found[key] = Listed(key, draw(NAMES | HOSTILE), draw(HOMES), {})
    return list(found.values())


def above(path: PurePosixPath) -> Iterator[PurePosixPath]:
    """The folders that a path lies in, and itself; the top is none of them."""
    yield from (each for each in (path, *path.parents) if each.parts)


def folded(path: PurePosixPath) -> tuple[str, ...]:
    """A path as a file system that minds neither case nor composition has it."""
    return tuple(same_for_a_disk(part) for part in path.parts)


@given(TREES, lists())
def test_no_two_things_have_one_path(nodes: dict[Place, Node], listed: list[Listed]) -> None:
    """No file is where another or a folder is, not even where neither case nor composition counts."""
    places = Places(nodes)
    files = [path.with_name(path.name + end) for path in places.paths(listed).values() for end in ENDINGS]
    assert len({folded(path) for path in files}) == len(files)
    folders = {each for path in files for each in above(path.parent)}
    folders |= {each for home in nodes for each in above(places.folder(home))}
    assert len({folded(path) for path in folders}) == len(folders)
    assert not {folded(path) for path in folders} & {folded(path) for path in files}
    assert all(".." not in path.parts and not path.is_absolute() for path in (*files, *folders))


@given(TREES)
def test_every_folder_that_can_be_reached_is_a_folder_of_its_own(nodes: dict[Place, Node]) -> None:
    """Inside the one that it lies in, if that is known; those that contain each other are unfiled side by side."""
    places = Places(nodes)
    found = [places.folder(each) for each in nodes]
    assert len({folded(path) for path in found}) == len(found)
    for each, node in nodes.items():
        path = places.folder(each)
        if node.parent in nodes and not is_in_a_circle(nodes, each):
            assert path.parent == places.folder(node.parent)
        else:
            assert path.parent == PurePosixPath(UNFILED if node.parent else "")


def is_in_a_circle(nodes: dict[Place, Node], start: Place) -> bool:
    """Whether the way up from a folder never comes to an end."""
    here: Place | None = start
    for _ in range(len(nodes) + 1):
        if here is None or here not in nodes:
            return False
        here = nodes[here].parent
    return True


@settings(max_examples=40)
@given(TREES, lists(), st.integers(0, 99))
def test_paths_do_not_depend_on_the_order_of_the_lists(
    nodes: dict[Place, Node], listed: list[Listed], seed: int
) -> None:
    """Nor on anything but what the lists say: two pulls of one instance are alike."""
    tree, rows = list(nodes.items()), list(listed)
    Random(seed).shuffle(tree)
    Random(seed).shuffle(rows)
    assert Places(nodes).paths(listed) == Places(dict(tree)).paths(rows)


@settings(max_examples=40)
@given(TREES, lists())
def test_versions_of_one_asset_lie_side_by_side(nodes: dict[Place, Node], listed: list[Listed]) -> None:
    """Under one name, which is that of the version that visitors see."""
    found = Places(nodes).paths(listed)
    for one, other in pairwise(sorted(found, key=lambda key: (key.asset.kind, str(key.asset.id), key.version))):
        if one.asset == other.asset:
            kind = one.asset.kind
            name = found[one].name.removesuffix(f".{kind}")
            assert found[other] == found[one].with_name(f"{name}.{kind}.draft")


TREE = {
    Place("Folder", 1): Node("Marketing Activities", None),
    Place("Folder", 2): Node("Webinars", Place("Folder", 1)),
    Place("Program", 2): Node("Webinars", Place("Folder", 1)),
    Place("Program", 7): Node("May: Intro", Place("Folder", 2)),
    Place("Folder", 9): Node("Local", Place("Program", 7)),
}


def path_of(version: Listed, nodes: dict[Place, Node] | None = None) -> str:
    """The path of one asset alone."""
    return str(Places(TREE if nodes is None else nodes).paths([version])[version.key])


def test_the_folders_on_disk_are_those_of_marketo() -> None:
    """With programs among them; a folder and a program of one name, and even of one id, lie side by side."""
    assert "Marketing Activities/Webinars/May%3A Intro/Local/Hi.email" == path_of(
        seen(name="Hi", home=Place("Folder", 9))
    )
    assert "Marketing Activities/Webinars/Hi.form.draft" == path_of(
        seen("form", 3, "draft", name="Hi", home=Place("Folder", 2))
    )
    assert "Marketing Activities/Webinars~2/Hi.email" == path_of(seen(name="Hi", home=Place("Program", 2)))


def test_the_file_of_a_folder_lies_beside_it() -> None:
    """So does a program's, in the folder that contains it."""
    assert "Marketing Activities/Webinars.folder" == path_of(
        seen("folder", 2, name="Webinars", home=Place("Folder", 1))
    )
    assert "Marketing Activities.folder" == path_of(seen("folder", 1, name="Marketing Activities", home=None))
    assert "Marketing Activities/Webinars/May%3A Intro.program" == path_of(
        seen("program", 7, name="May: Intro", home=Place("Folder", 2))
    )
    assert "Marketing Activities/Webinars~2.program" == path_of(
        seen("program", 2, name="Webinars", home=Place("Folder", 1))
    )


@given(TREES)
def test_the_file_of_a_folder_has_the_very_name_of_its_directory(nodes: dict[Place, Node]) -> None:
    """Whatever it is called, cut and marked as the directory is; so one finds the other, in any listing."""
    places = Places(nodes)
    for place, node in nodes.items():
        if is_in_a_circle(nodes, place):
            continue
        kind = place.type.lower()
        each = Listed(Key(Asset(kind, place.id), ""), node.name, node.parent, {})
        (path,) = places.paths([each]).values()
        assert f"{places.folder(place)}.{kind}" == str(path)


def test_folders_that_contain_each_other_keep_clear_of_those_that_are_lost() -> None:
    """Both lie in one place, and may have one name."""
    nodes = {
        Place("Folder", 1): Node("X", Place("Folder", 404)),
        Place("Folder", 2): Node("X", Place("Folder", 3)),
        Place("Folder", 3): Node("Y", Place("Folder", 2)),
    }
    listed = [seen("folder", place.id, name=node.name, home=node.parent) for place, node in nodes.items()]
    found = Places(nodes).paths(listed).values()
    assert 3 == len({folded(path) for path in found})


def nested(depth: int, name: str) -> dict[Place, Node]:
    """Folders that contain each other so deep, all of one name."""
    return {
        Place("Folder", number): Node(name, Place("Folder", number - 1) if number > 1 else None)
        for number in range(1, depth + 1)
    }


@pytest.mark.parametrize(
    "name", ["n" * 300, "n" * 40, "\u00e9" * 50, "?" * 90, "a"], ids=lambda name: name[0] + str(len(name))
)
def test_no_path_is_too_long_for_any_system(name: str) -> None:
    """However deep a folder lies and whatever it is called, its files' paths stay below 1,024 bytes."""
    places = Places(nested(60, name))
    found = places.paths(
        seen("email", number, "draft", name="x" * 300, home=Place("Folder", number)) for number in range(1, 61)
    )
    assert 60 == len({path.parent for path in found.values()})
    assert max(len(f"{path}.json".encode()) for path in found.values()) < 1_024


def test_far_down_folders_lie_side_by_side_and_are_called_by_their_id() -> None:
    """Only those whose path would be too long; each has its own place, which does not depend on its name."""
    nodes = nested(6, "n" * 110)
    paths = [Places(nodes).folder(Place("Folder", number)) for number in range(1, 7)]
    assert ["n" * 110] * 4 == [path.name for path in paths[:4]]
    assert ["~folder-5", "~folder-6"] == [path.name for path in paths[4:]]
    assert [path.parent for path in paths[1:4]] == paths[:3]
    assert {paths[3]} == {path.parent for path in paths[4:]}
    assert all(len(str(path).encode()) <= PATH_BYTES_MAX for path in paths[:4])
    renamed = nodes | {Place("Folder", 6): Node("m" * 110, Place("Folder", 5))}
    assert paths[5] == Places(renamed).folder(Place("Folder", 6))
    beside = nodes | {place: Node("n" * 110, Place("Folder", 5)) for place in (Place("Folder", 7), Place("Program", 7))}
    assert 3 == len(
        {Places(beside).folder(place) for place, node in beside.items() if node.parent == Place("Folder", 5)}
    )


def test_what_has_no_folder_lies_apart() -> None:
    """What belongs to the whole instance in one, what lies where we cannot look in another."""
    assert "_instance/Webinar.channel" == path_of(seen("channel", 1, name="Webinar", home=None))
    assert "_unfiled/Hi.email" == path_of(seen(name="Hi", home=Place("Folder", 404)))
    lost = {Place("Folder", 3): Node("Lost", Place("Folder", 404))}
    assert "_unfiled/Lost/Hi.email" == path_of(seen(name="Hi", home=Place("Folder", 3)), lost)
    circle = {Place("Folder", 3): Node("A", Place("Folder", 4)), Place("Folder", 4): Node("B", Place("Folder", 3))}
    assert "_unfiled/B/Hi.email" == path_of(seen(name="Hi", home=Place("Folder", 4)), circle)
    itself = {Place("Folder", 3): Node("A", Place("Folder", 3))}
    assert "_unfiled/A/Hi.email" == path_of(seen(name="Hi", home=Place("Folder", 3)), itself)


def test_a_folder_of_marketo_cannot_take_one_of_ours() -> None:
    """It gets its id besides, whatever its case."""
    places = Places({Place("Folder", 4): Node("_INSTANCE", None), Place("Folder", 5): Node("_unfiled", None)})
    assert (f"{INSTANCE.upper()}~4", "_unfiled~5") == tuple(
        str(places.folder(Place("Folder", number))) for number in (4, 5)
    )


def test_a_segmentation_says_program_and_means_folder() -> None:
    """Unless there is a program of that id."""
    segmentation = seen("segmentation", 1001, name="Industry", home=Place("Program", 9))
    assert path_of(segmentation).endswith("Local/Industry.segmentation")
    assert "_instance" not in path_of(segmentation)
    of_a_program = seen("segmentation", 1001, name="Industry", home=Place("Program", 2))
    assert "Marketing Activities/Webinars~2/Industry.segmentation" == path_of(of_a_program)


def test_a_folder_never_looks_like_one_of_our_files() -> None:
    """Neither in another case, nor without its last ending."""
    for name in ("x.email.json", "X.EMAIL.DRAFT.html", "x.form", "x.\ufb01le.png"):
        places = Places({Place("Folder", 4): Node(name, None)})
        assert "." not in str(places.folder(Place("Folder", 4)))
    assert "v1.2" == str(Places({Place("Folder", 4): Node("v1.2", None)}).folder(Place("Folder", 4)))


def test_two_tags_that_differ_in_case_stay_in_their_folder() -> None:
    """Their names are their ids, and may hold anything."""
    tags = [seen("tag_type", name, home=None) for name in ("../../../x", "../../../X")]
    for path in Places({}).paths(tags).values():
        assert path.parent == PurePosixPath(INSTANCE)
