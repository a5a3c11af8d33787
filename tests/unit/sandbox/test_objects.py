"""Tests of the rows of objects that are looked up by key."""

import pytest

from syncengine.sandbox.shapes import SHAPES
from tests.unit.sandbox.caller import Caller


@pytest.mark.parametrize("stream", list(SHAPES))
def test_keys_make_a_row_out(stream: str) -> None:
    """The id and the dedupe fields are each unique."""
    lines, shape = Caller().truth(stream), SHAPES[stream]
    assert len({line[shape.id_field] for line in lines}) == len(lines) > 0
    assert len({tuple(line[name] for name in shape.dedupe) for line in lines}) == len(lines)


def test_every_opportunity_has_a_role_of_a_lead() -> None:
    """Whoever asks for the roles of all leads finds all opportunities."""
    caller = Caller()
    roles = caller.truth("opportunity_roles")
    assert {line["externalOpportunityId"] for line in roles} == {
        line["externalOpportunityId"] for line in caller.truth("opportunities")
    }
    assert {line["leadId"] for line in roles} <= {line["id"] for line in caller.truth("leads")}
