"""What a pull would spend, found out by its lists: nothing is fetched, and nothing written."""

from collections.abc import Mapping
from functools import partial

from syncengine.asset_reports import AssetKindPlan, AssetsPlan
from syncengine.assets.contents import calls_for
from syncengine.assets.crew import together
from syncengine.assets.documents import Key
from syncengine.assets.entry import Entry
from syncengine.assets.kind import Kind
from syncengine.assets.kinds import FOLDER, KINDS
from syncengine.assets.marker import claim
from syncengine.assets.parts import Asked, Parts
from syncengine.assets.pull import NO_SUCH_PATH
from syncengine.assets.run import AREAS
from syncengine.assets.store import SYSTEM_ERROR
from syncengine.assets.survey import Due, Survey, due
from syncengine.assets.tree import Tree
from syncengine.errors import CallRejected, MarketoError, NotFound, PermissionDenied, Unavailable, Unsupported
from syncengine.marketo.limits import CALLS_PER_WINDOW, WINDOW_SECONDS
from syncengine.threads import run_blocking


async def cost(parts: Parts, asked: Asked, calls_left_today: int) -> AssetsPlan:
    """What a pull would spend; raises what the client raises, and ConfigError for a folder that is not ours."""
    tree, known = Tree(asked.folder), dict[Key, Entry]()
    if await run_blocking(asked.folder.exists):
        await run_blocking(partial(claim, asked.folder, parts.instance, parts.origin, write=False))
        known = await run_blocking(tree.scan)
    before = parts.client.calls_sent
    areas = dict(await parts.store.recall(parts.instance, AREAS) or {})
    survey = Survey(parts.client, known, areas, quick=asked.quick)
    failed: dict[str, MarketoError] = {}

    async def look(kind: Kind) -> None:
        try:
            await survey.look(kind)
        except (PermissionDenied, Unsupported, CallRejected, NotFound, Unavailable) as error:
            if isinstance(error, Unavailable) and error.code != SYSTEM_ERROR:
                raise
            if not (kind.design and error.code in NO_SUCH_PATH):
                failed[kind.name] = error

    # Folders first: the lists of the new designer are cut by their workspaces.
    await look(KINDS[FOLDER])
    await together([partial(look, KINDS[name]) for name in asked.kinds if name != FOLDER])
    kinds = tuple(planned(survey, KINDS[name], known, asked) for name in asked.kinds if name in survey.found)
    spent = parts.client.calls_sent - before
    calls = spent + sum(each.content_calls for each in kinds)
    return AssetsPlan(
        folder=str(asked.folder),
        kinds=kinds,
        spent=spent,
        calls=calls,
        calls_left_today=max(0, calls_left_today - spent),
        seconds=calls * WINDOW_SECONDS / CALLS_PER_WINDOW,
        problems=tuple(f"{name}: {error}" for name, error in failed.items()),
        errors=tuple(dict.fromkeys(type(error).__name__ for error in failed.values())),
    )


def planned(survey: Survey, kind: Kind, known: Mapping[Key, Entry], asked: Asked) -> AssetKindPlan:
    """What a pull would do with one kind."""
    versions = survey.found[kind.name].listed.values()
    wanted = [each for each in versions if asked.full or due(each, known.get(each.key)) is Due.CONTENT]
    subjects = [survey.subject(each) for each in wanted]
    return AssetKindPlan(
        kind=kind.name, versions=len(versions), due=len(wanted), content_calls=calls_for(kind, subjects)
    )
