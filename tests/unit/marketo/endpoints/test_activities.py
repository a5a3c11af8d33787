"""The activity types of an instance."""

import pytest

from syncengine.marketo.endpoints import activities
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ActivityAttribute, ActivityType


def test_types_are_read_with_their_attributes() -> None:
    """Standard types have a primary attribute, some have none, attributes without a name are passed over."""
    rows = (
        {
            "id": 1,
            "name": "Visit Webpage",
            "primaryAttribute": {"name": "Webpage ID", "dataType": "integer"},
            "attributes": [{"name": "Query Parameters", "dataType": "string"}, {"dataType": "string"}],
        },
        {"id": "12", "name": "New Lead"},
    )
    expected = (
        ActivityType(
            1,
            "Visit Webpage",
            ActivityAttribute("Webpage ID", "integer"),
            (ActivityAttribute("Query Parameters", "string"),),
        ),
        ActivityType(12, "New Lead", None, ()),
    )
    assert expected == activities.types().decode(Reply(result=rows))


@pytest.mark.parametrize("result", [(), (None,), ({"name": "nameless number"},)])
def test_types_that_cannot_be_read_are_a_fault(result: tuple[object, ...]) -> None:
    """A stream never vanishes because its types could not be read."""
    with pytest.raises(Malformed):
        activities.types().decode(Reply(result=result))
