"""One kind's files brought to where its lists are: what is gone removed, what lies elsewhere moved, the rest fetched.

In that order, so that a name is free before another asset takes it. Nothing here is lost by a crash: each step leaves
whole files that say what they are, and the next pull goes on from them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from syncengine.assets.contents import designs_fetched, fetched
from syncengine.assets.crew import crew
from syncengine.assets.disk import new_part, on_disk
from syncengine.assets.documents import Document, FileBody, Key, Listed
from syncengine.assets.entry import Entry, entry_of
from syncengine.assets.file_bytes import FileBytes
from syncengine.assets.kind import Kind
from syncengine.assets.kinds import FILE
from syncengine.assets.survey import Due, Survey, Surveyed, due
from syncengine.assets.tree import Tree, bytes_ending
from syncengine.errors import CallRejected, FileDamaged, NotFound, Unavailable
from syncengine.marketo.limits import ASSET_V2_IDS_MAX
from syncengine.marketo.rows import count, text
from syncengine.observe.events import AssetFetched, AssetsListed, Event
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# What spoils one asset and leaves the others as they are; any other error ends the kind.
OF_ONE_ASSET = (CallRejected, FileDamaged, NotFound)
SYSTEM_ERROR = "611"
NAME_SHOWN = 60


@dataclass(slots=True)
class Stored:
    """What lies on disk of a kind. `problems` tell what is missing; if it `is_whole`, what is not there is nowhere."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    fetched: int = 0
    is_whole: bool = False


class Storing:
    """Brings kinds to disk, one after the other or several at once. `files` is given when bytes are wanted too."""

    def __init__(
        self, client: Client, tree: Tree, survey: Survey, observe: Callable[[Event], None], files: FileBytes | None
    ) -> None:
        self._client = client
        self._tree = tree
        self._survey = survey
        self._observe = observe
        self._files = files

    async def store(self, surveyed: Surveyed, known: Mapping[Key, Entry], *, full: bool) -> Stored:
        """Bring one kind to disk; `known` is what lies there of it. Raises what the client and the tree raise."""
        kept = {key: entry for key, entry in known.items() if surveyed.keeps(key)}
        stored = Stored()
        unseen = [entry for key, entry in kept.items() if key not in surveyed.listed]
        if unseen and not surveyed.is_steady:
            stored.problems.append(
                f"the list of {surveyed.kind.name} never held still: {len(unseen)} that were not seen in it are kept"
            )
        unlisted = [Listed(entry.key, entry.name, entry.home, {}) for entry in unseen]
        paths = self._survey.places.paths([*surveyed.listed.values(), *unlisted])
        await run_blocking(lambda: self._cleared(known, kept, paths))
        stored.entries = {key: replace(entry, path=paths[key]) for key, entry in kept.items()}
        waiting = [each for each in surveyed.listed.values() if full or self._due(each, stored) is Due.CONTENT]
        self._observe(AssetsListed(surveyed.kind.name, len(surveyed.listed), len(waiting)))
        for each in surveyed.listed.values():
            if not full and self._due(each, stored) is Due.ROW:
                document = await run_blocking(lambda each=each: self._tree.read(stored.entries[each.key]))  # type: ignore[misc]  # bound at once
                await self._keep(replace(document, listed=each), paths, stored)
        await self._fetch(surveyed.kind, waiting, paths, stored)
        stored.is_whole = surveyed.is_steady and all(key in stored.entries for key in surveyed.listed)
        return stored

    def _due(self, version: Listed, stored: Stored) -> Due:
        entry = stored.entries.get(version.key)
        found = due(version, entry)
        wants_bytes = self._files is not None and version.key.asset.kind == FILE
        return Due.CONTENT if wants_bytes and entry and not entry.has_bytes else found

    def _cleared(
        self, known: Mapping[Key, Entry], kept: Mapping[Key, Entry], paths: Mapping[Key, PurePosixPath]
    ) -> None:
        for key, entry in known.items():
            if key not in kept:
                self._tree.remove(entry.path)
        self._tree.move({entry.path: paths[key] for key, entry in kept.items() if entry.path != paths[key]})

    async def _fetch(
        self, kind: Kind, waiting: Sequence[Listed], paths: Mapping[Key, PurePosixPath], stored: Stored
    ) -> None:
        async def one(batch: Sequence[Listed]) -> None:
            try:
                if kind.design is not None:
                    documents = await designs_fetched(self._client, batch)
                else:
                    documents = [await fetched(self._client, batch[0], self._survey.subject(batch[0]))]
                for document in documents:
                    if self._files is not None and kind.name == FILE:
                        await self._keep_file(self._files, document, paths, stored)
                    else:
                        await self._keep(document, paths, stored)
            except (*OF_ONE_ASSET, Unavailable) as error:
                if isinstance(error, Unavailable) and error.code != SYSTEM_ERROR:
                    raise
                stored.problems += [f"{called(each)}: {error}" for each in batch]
            for _ in batch:
                self._observe(AssetFetched(kind.name))

        await crew(cut(waiting, ASSET_V2_IDS_MAX if kind.design else 1), one)

    async def _keep(
        self, document: Document, paths: Mapping[Key, PurePosixPath], stored: Stored, part: Path | None = None
    ) -> None:
        path, before = paths[document.key], stored.entries.get(document.key)
        if part is None and before and before.has_bytes and before.row_sha256 == document.listed.sha256:
            # Bytes that were brought once stay, as long as the file is the same.
            document = replace(document, bytes=(await run_blocking(lambda: self._tree.read(before))).bytes)
        await run_blocking(lambda: self._tree.write(path, document, part))
        stored.entries[document.key] = entry_of(document, path)
        stored.fetched += 1

    async def _keep_file(
        self, files: FileBytes, document: Document, paths: Mapping[Key, PurePosixPath], stored: Stored
    ) -> None:
        row = document.listed.row
        size = count(row.get("size"))
        if size is None:
            raise FileDamaged("its list tells no size")
        with on_disk(self._tree.root):
            part = await run_blocking(lambda: new_part(self._tree.root))
            sha256 = await files.fetch(text(row.get("url")), size, part)
        body = FileBody(bytes_ending(document.listed.name), size, sha256)
        await self._keep(replace(document, bytes=body), paths, stored, part)


def called(version: Listed | Entry) -> str:
    """A version in a sentence; names may be very long."""
    key, name = version.key, version.name
    status = f" ({key.version})" if key.version else ""
    return f"{key.asset.kind} {key.asset.id} {name[:NAME_SHOWN]!r}{'...' if len(name) > NAME_SHOWN else ''}{status}"


def cut(versions: Sequence[Listed], size: int) -> Iterator[Sequence[Listed]]:
    """The versions in order, `size` at a time."""
    return (versions[start : start + size] for start in range(0, len(versions), size))
