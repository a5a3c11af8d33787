"""What somebody asks for with an import, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from syncengine.imports.ambiguity import Policy
from syncengine.imports.brake import FAILURES_MAX
from syncengine.imports.route import Route
from syncengine.imports.target import Target

WAIT_MAX = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`files` are paths, - for standard input; or `database` and `query`. `mapping` names the field of a column.

    `allow_clear` lets empty cells clear fields. `failures_max` is the share of rows that may fail before a run stops,
    `wait_max` how long it may take. `is_new` begins a run even where an unfinished one stands in its way.
    """

    target: Target
    files: tuple[str, ...] = ()
    database: str = field(default="", repr=False)
    query: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    route: Route = Route.AUTO
    allow_clear: bool = False
    policy: Policy = Policy.VERIFY
    failures_max: float = FAILURES_MAX
    wait_max: timedelta = WAIT_MAX
    is_new: bool = False
    retries: str = ""  # the run whose failed rows these are
