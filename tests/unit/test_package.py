"""The package's front door: public names, loaded when they are asked for, and a map of the house."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import syncengine

HOMES = {
    "AssetsDiff": "syncengine.asset_reports",
    "AssetsPlan": "syncengine.asset_reports",
    "AssetsReport": "syncengine.asset_reports",
    "CheckReport": "syncengine.reports",
    "Engine": "syncengine.engine",
    "ImportPlan": "syncengine.reports",
    "ImportReport": "syncengine.reports",
    "Settings": "syncengine.config",
    "StatusReport": "syncengine.reports",
    "SyncEngineError": "syncengine.errors",
    "SyncPlan": "syncengine.reports",
    "SyncReport": "syncengine.reports",
    "load": "syncengine.config",
    "open_engine": "syncengine.engine",
    "read_status": "syncengine.status",
}
FOLDER = Path(syncengine.__file__).parent


@pytest.mark.parametrize("name", syncengine.__all__)
def test_every_public_name_is_its_homes(name: str) -> None:
    """What the package gives is the thing itself, not a copy or a stand-in."""
    assert getattr(import_module(HOMES[name]), name) is getattr(syncengine, name)


def test_public_names_are_listed_in_order() -> None:
    """The list, the names for type checkers and those that load are the same."""
    source = (FOLDER / "__init__.py").read_text()
    for_checkers = re.findall(r"^    from (syncengine\.\w+) import (\([^)]+\)|.+)$", source, re.MULTILINE)
    assert HOMES == {name: home for home, names in for_checkers for name in re.findall(r"\w+", names)}
    assert sorted(HOMES) == syncengine.__all__
    assert set(syncengine.__all__) <= set(dir(syncengine))


@pytest.mark.parametrize("name", ["Enginge", "__path_of_nothing__", "sync"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    """As of any module: `hasattr` and tools that look around are not surprised."""
    with pytest.raises(AttributeError, match=f"'syncengine' has no attribute '{name}'"):
        getattr(syncengine, name)


def test_importing_the_package_loads_nothing_of_it() -> None:
    """The list of names costs nothing, a name loads its home alone, and Arrow waits until there are rows."""
    script = (
        "import sys, syncengine; dir(syncengine)\n"
        "assert not [name for name in sys.modules if name.startswith('syncengine.')]\n"
        "syncengine.SyncReport\n"
        "assert ['syncengine.asset_reports', 'syncengine.reports'] == "
        "sorted(name for name in sys.modules if name.startswith('syncengine.'))\n"
        "syncengine.read_status, syncengine.open_engine\n"
        "assert not {'duckdb', 'pyarrow'} & set(sys.modules), 'loaded before there are rows'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)


def test_the_map_shows_every_room() -> None:
    """Each folder and each module on the first floor is named in the package's docstring, and nothing that is gone."""
    rooms = {path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    shown = set(re.findall(r"`(\w+)`", str(syncengine.__doc__)))
    assert set() == {room for room in rooms if not room.startswith("_")} - shown
    # Beside rooms, the map names modules of `exports` and `imports`, and one to begin with.
    assert {"run", "readings", "sync", "desk", "client"} == shown - rooms
