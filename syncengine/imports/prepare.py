"""From what was asked for to a plan: fields, header, rows, keys, chunks. Nothing is sent.

Everything that a run needs lies in one folder then, written and synced; `begin` gives it to the journal. A preparation
that nobody begins leaves nothing behind.
"""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import orjson
import pyarrow as pa

from syncengine.imports.asked import Asked
from syncengine.imports.bodies import Body, body_of
from syncengine.imports.body import Rows, records_of
from syncengine.imports.checks import Checks
from syncengine.imports.chunk import Room
from syncengine.imports.deal import Dealing, Weigh, by_length
from syncengine.imports.findings import Effect, Finding, ordered
from syncengine.imports.gather import SPOOLED, Gathering, rows_file
from syncengine.imports.header import Column, Writable, columns_of
from syncengine.imports.keys import Keys
from syncengine.imports.manifest import SCANNED, Writing, sync_file, sync_folder
from syncengine.imports.route import Route, chosen, rows_a_call
from syncengine.imports.upload import Payload, json_bytes, room_bytes, row_bytes_max
from syncengine.observe.events import Event, RowsRead
from syncengine.sources import STANDARD_INPUT, Source
from syncengine.sources.opening import open_query, open_source
from syncengine.sources.spool import Spool
from syncengine.threads import drive, run_blocking

SPOOL = "spool.csv"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan. `chunks` are (manifest, rows, bytes) in their order and `hashes` the SHA-256 of each as a file; findings
    that stop leave it without any.

    `rows` counts everything that the sources hold, unreadable records included; `room` is what a chunk may hold.
    """

    folder: Path
    asked: Asked
    columns: tuple[Column, ...]
    findings: tuple[Finding, ...]
    sources: tuple[dict[str, Any], ...]
    bodies: tuple[Body, ...]
    route: Route
    chunks: tuple[tuple[str, int, int], ...]
    hashes: tuple[str, ...]
    rows: int
    quarantined: int
    superseded: int
    room: int

    @property
    def stops(self) -> bool:
        """Whether something was found that has to be mended first."""
        return any(finding.effect is Effect.STOPS for finding in self.findings)

    @property
    def bytes(self) -> int:
        """All rows that are to be sent."""
        return sum(size for _, _, size in self.chunks)

    @property
    def fingerprint(self) -> str:
        """What makes two imports the same: where to, what from, and how it is read."""
        asked = self.asked
        what: list[Any] = [asked.target.facts(), [each["sha256"] for each in self.sources]]
        what += [[body.sha256 for body in self.bodies], [column.name for column in self.columns]]
        # Of an address what stands behind its password.
        what += [asked.database.rpartition("@")[2], asked.query, asked.encoding, dict(asked.mapping), asked.allow_clear]
        return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()


@asynccontextmanager
async def prepared(
    asked: Asked,
    fields: Sequence[Writable],
    folder: Path,
    *,
    has_ingestion: bool,
    file_bytes_max: int,
    observe: Callable[[Event], None],
) -> AsyncIterator[Prepared]:
    """Read and plan; at the end of the block the folder is gone, unless it was given another name.

    Raises SourceUnusable for a source that cannot be read at all, ConfigError for a route that does not do.
    """
    work = Path(await run_blocking(lambda: mkdtemp(prefix="new-", dir=folder)))
    try:
        yield await _Preparing(asked, fields, work, has_ingestion, file_bytes_max, observe).prepare()
    finally:
        await run_blocking(lambda: shutil.rmtree(work, ignore_errors=True))


@dataclass(slots=True)
class _Preparing:
    asked: Asked
    fields: Sequence[Writable]
    work: Path
    has_ingestion: bool
    file_bytes_max: int
    observe: Callable[[Event], None]

    async def prepare(self) -> Prepared:
        # A way that does not do is told before anything is read.
        chosen(self.asked.route, self.asked.target, 0, has_ingestion=self.has_ingestion)
        sources = await run_blocking(self._open)
        columns, findings = self._columns(sources)
        checks = Checks(columns[0], allow_clear=self.asked.allow_clear)
        is_readable = can_be_read(columns)
        async with AsyncExitStack() as opened:
            keys = Keys(self.work / "keys")
            opened.enter_context(keys)
            gathering = await self._gather(sources, columns, checks, keys, is_readable=is_readable)
            found = [*findings, *checks.findings.all(), *_blank_lines(sources)]
            if is_readable and not gathering.rows:
                found.append(Finding(Effect.TELLS, "hold no row below their header", "the sources"))
            stops = any(finding.effect is Effect.STOPS for finding in found)
            route = self._route(gathering, columns[0])
            dealing = Dealing(self.work, self._room(route, columns[0]), self._weigh(route, columns[0], sources))
            if not stops and gathering.rows:
                await drive(dealing.steps(rows_file(self.work), keys.superseded()), lambda _: None)
        found += _superseded(dealing, [source.name for source in sources])
        await run_blocking(partial(rows_file(self.work).unlink, missing_ok=True))
        bodies = await run_blocking(partial(self._bodies, sources))
        paths = [self.work / body.path for body in bodies]
        hashes = [
            await run_blocking(Payload(Rows(self.work / each.manifest, paths), columns[0], each.bytes).sha256)
            for each in dealing.chunks
        ]
        return Prepared(
            folder=self.work,
            asked=self.asked,
            columns=tuple(columns[0]),
            findings=ordered(found),
            sources=tuple(self._known_as(each, body) for each, body in zip(sources, bodies[1:], strict=True)),
            bodies=bodies,
            route=route,
            chunks=tuple((each.manifest, each.rows, each.bytes) for each in dealing.chunks),
            hashes=tuple(hashes),
            rows=gathering.rows,
            quarantined=dealing.quarantined,
            superseded=dealing.superseded,
            room=self._room(route, columns[0]).bytes,
        )

    def _open(self) -> list[Source]:
        asked = self.asked
        if asked.query:
            return [open_query(asked.database, asked.query, work=self._own(0))]
        return [
            open_source(file, encoding=asked.encoding, work=self._own(number))
            for number, file in enumerate(asked.files)
        ]

    def _known_as(self, source: Source, body: Body) -> dict[str, Any]:
        """What is remembered of a source: `origin` is the same for the same file or query, "" for standard input."""
        if self.asked.query:
            origin = hashlib.sha256(f"{self.asked.database}\n{self.asked.query}".encode()).hexdigest()
        else:
            origin = "" if source.name == STANDARD_INPUT else str(Path(source.name).absolute())
        # A query has no bytes of its own: what it gave lies in its body.
        return {"name": source.name, "origin": origin, "sha256": source.sha256 or body.sha256, "size": source.size}

    def _own(self, number: int) -> Path:
        """A source's own folder: what it unpacks there has the same name for all."""
        folder = self.work / f"source-{number}"
        folder.mkdir(mode=0o700)
        return folder

    def _columns(self, sources: Sequence[Source]) -> tuple[list[tuple[Column, ...]], list[Finding]]:
        """The columns of each source in the order of the first one's."""
        asked = self.asked
        all_columns: list[tuple[Column, ...]] = []
        findings: list[Finding] = []
        everywhere = {heading for source in sources for heading in source.columns}
        for source in sources:
            # One map serves all files, also those that have only some of its headings.
            others = everywhere - set(source.columns)
            mapping = {heading: field for heading, field in asked.mapping.items() if heading not in others}
            columns, found = columns_of(source.columns, self.fields, asked.target.keys, mapping)
            all_columns.append(columns)
            findings += found
        names = [column.name for column in all_columns[0]]
        is_alike = True
        for source, columns in zip(sources[1:], all_columns[1:], strict=True):
            if differ := sorted({column.name for column in columns} ^ set(names)):
                is_alike = False
                findings.append(Finding.stop(f"is not in all files ({source.name} differs)", ", ".join(differ)))
        if not is_alike:
            return all_columns, findings
        by_name = [{column.name: column for column in columns} for columns in all_columns]
        return [tuple(each[name] for name in dict.fromkeys(names)) for each in by_name], list(dict.fromkeys(findings))

    async def _gather(
        self,
        sources: Sequence[Source],
        columns: Sequence[Sequence[Column]],
        checks: Checks,
        keys: Keys,
        *,
        is_readable: bool,
    ) -> Gathering:
        names = ["the query"] if self.asked.query else [source.name for source in sources]
        with Spool(self.work / SPOOL) as spool, Writing(rows_file(self.work), SCANNED) as writing:
            gathering = Gathering(checks, writing, keys, self._row_bytes_max(columns[0]), names)
            for number, source in enumerate(sources) if is_readable else ():
                await drive(
                    gathering.source(number, source, columns[number], spool),
                    lambda rows: self.observe(RowsRead(rows)),
                )
            await run_blocking(spool.sync)
        return gathering

    def _route(self, gathering: Gathering, columns: Sequence[Column]) -> Route:
        """The way in; rows that only a file can carry take all others with them."""
        target = self.asked.target
        route = chosen(self.asked.route, target, gathering.good, has_ingestion=self.has_ingestion)
        if gathering.largest > row_bytes_max(route, columns, self.file_bytes_max):
            return chosen(Route.BULK, target, gathering.good, has_ingestion=self.has_ingestion)
        return route

    def _room(self, route: Route, columns: Sequence[Column]) -> Room:
        return Room(room_bytes(route, columns, self.file_bytes_max), rows_a_call(route))

    def _row_bytes_max(self, columns: Sequence[Column]) -> int:
        """The largest row that the chosen way may have to carry."""
        route = self.asked.route if self.asked.route is not Route.AUTO else Route.BULK
        return row_bytes_max(route, columns, self.file_bytes_max)

    def _weigh(self, route: Route, columns: Sequence[Column], sources: Sequence[Source]) -> Weigh:
        if route is Route.BULK:
            return by_length
        bodies = [self.work / SPOOL, *(source.path or self.work / SPOOL for source in sources)]

        def weigh(batch: pa.RecordBatch) -> list[int]:
            return [json_bytes(columns, record) for record in records_of(batch, bodies)]

        return weigh

    def _bodies(self, sources: Sequence[Source]) -> tuple[Body, ...]:
        found = [body_of(self.work / SPOOL, self.work)]
        for source in sources:
            if source.path is None:
                found.append(found[SPOOLED])
            elif source.path.is_relative_to(self.work):
                sync_file(source.path)
                sync_folder(source.path.parent)
                found.append(body_of(source.path, self.work))
            else:
                found.append(Body(str(source.path.absolute()), source.size, source.sha256))
        sync_folder(self.work)
        return tuple(found)


def _superseded(dealing: Dealing, names: Sequence[str]) -> Iterator[Finding]:
    """Rows in whose place another one is imported."""
    if dealing.superseded:
        what = "has a row with the same key further down, which is imported in its place"
        places = tuple(f"{names[source]} line {line:,}" for source, line in dealing.first_superseded)
        yield Finding(Effect.TELLS, what, "the row", "", dealing.superseded, places)


def _blank_lines(sources: Sequence[Source]) -> Iterator[Finding]:
    if blank := sum(source.blank_lines for source in sources):
        yield Finding(Effect.TELLS, "is blank and holds no row", "the line", "", blank)


def can_be_read(columns: Sequence[Sequence[Column]]) -> bool:
    """Whether the sources have the same columns, and among them one that tells their rows apart."""
    names = {tuple(column.name for column in each) for each in columns}
    return len(names) == 1 and all(any(column.is_key for column in each) for each in columns)
