"""What somebody asks for with an import."""

from datetime import timedelta

from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.brake import FAILURES_MAX
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target

LEADS = Target(kind=Kind.LEADS, keys=("email",))


def test_what_is_not_asked_for_is_the_careful_choice() -> None:
    """Nothing is cleared, nothing sent again blindly, no unfinished run passed over."""
    asked = Asked(target=LEADS)
    assert (False, False, Policy.VERIFY, FAILURES_MAX, timedelta(hours=12), Route.AUTO) == (
        asked.allow_clear,
        asked.is_new,
        asked.policy,
        asked.failures_max,
        asked.wait_max,
        asked.route,
    )


def test_an_address_is_never_printed() -> None:
    """It may hold a password."""
    assert "canary" not in repr(Asked(target=LEADS, database="postgresql://u:canary@h/d", query="SELECT 1"))
