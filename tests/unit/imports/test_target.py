"""What is imported into."""

import orjson
import pytest

from syncengine.imports.target import Kind, Target

TARGETS = {
    "leads": Target(kind=Kind.LEADS, keys=("email",), list_id=4, partition="P"),
    "custom object car_c": Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin", "plate"), api_name="car_c"),
    "members of program 7": Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=7, status="On List"),
}


@pytest.mark.parametrize("label", TARGETS)
def test_a_target_comes_back_from_the_journal(label: str) -> None:
    """The same, through JSON; it is told in words."""
    target = TARGETS[label]
    assert (target, label) == (Target.of(orjson.loads(orjson.dumps(target.facts()))), target.label)


def test_people_are_imported_by_one_process_at_a_time() -> None:
    """As leads or as members: two at once could make two records of one person. Custom objects have their own turn."""
    assert ["import people", "import custom object car_c", "import people"] == [each.work for each in TARGETS.values()]


def test_fields_tell_all_but_membership_of_a_list() -> None:
    """Who was on the list before looks no different from who was added."""
    assert [False, True, True] == [each.is_all_in_fields for each in TARGETS.values()]
