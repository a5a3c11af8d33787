"""Keys that streams take from each other have to be there."""

import pytest

from syncengine.errors import ConfigError
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.keys import lost_keys, refuse_lost_keys
from tests.unit.exports.world import reach_of


def wanted(name: str, choice: Choice | None = None) -> Wanted:
    return Wanted(name, choice or Choice(), reach_of(40))


@pytest.mark.parametrize(
    ("leads", "how"),
    [
        (Choice(hash=("external*",)), "hash"),
        (Choice(exclude=("externalCompanyId",)), "exclude"),
        (Choice(fields=("id", "email")), "fields"),
    ],
)
def test_a_key_that_is_hashed_or_left_out_is_refused(leads: Choice, how: str) -> None:
    """The stream that would come empty is named, and the key of the configuration that empties it."""
    with pytest.raises(ConfigError) as caught:
        refuse_lost_keys([wanted("leads", leads), wanted("companies")])
    assert (f"streams.leads.{how}: 'externalCompanyId' is the key by which companies is asked for.",) == (
        caught.value.problems
    )


def test_keys_that_are_always_there_are_no_problem() -> None:
    """What identifies a row cannot be left out, and streams that nobody asks by key may hide what they like."""
    assert () == lost_keys([wanted("leads", Choice(("email",))), wanted("opportunity_roles")])
    assert () == lost_keys([wanted("leads", Choice(hash=("externalCompanyId",)))])


def test_the_stream_s_own_key_counts_too() -> None:
    """Hashed in its own table, it could not be asked for again."""
    with pytest.raises(ConfigError, match="Keys that a stream needs"):
        refuse_lost_keys([wanted("leads"), wanted("opportunity_roles", Choice(hash=("leadId",)))])
