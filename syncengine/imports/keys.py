"""Which rows another row of the same run takes the place of: of rows with one key the last one wins.

Theory of operation
-------------------
Marketo makes two records of one person when two jobs that run at once bring the same new key, so a key goes into one
chunk only. Remembering every key would take memory that grows with the source; instead keys are dealt by their hash
into files on disk, and each file is looked through alone: all rows of one key lie in one of them. What it finds is
merged in the order of the rows.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads (concurrent upserts)
"""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from zlib import crc32

import orjson

PARTS = 64


class Keys:
    """Keys of rows, in a folder of their own that is gone at the end; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700)
        self._files = [self._path("keys", part).open("w+b") for part in range(PARTS)]
        return self

    def add(self, rows: Sequence[int], keys: Sequence[str]) -> None:
        """Note good rows, in the order in which they stand in the run."""
        dealt: list[tuple[list[int], list[str]]] = [([], []) for _ in range(PARTS)]
        for row, key in zip(rows, keys, strict=True):
            into = dealt[crc32(key.encode()) % PARTS]
            into[0].append(row)
            into[1].append(key)
        for file, (numbers, texts) in zip(self._files, dealt, strict=True):
            if numbers:
                file.write(orjson.dumps((numbers, texts), option=orjson.OPT_APPEND_NEWLINE))

    def superseded(self) -> Iterator[tuple[int, int]]:
        """Each row that is superseded and the row that takes its place, in the order of the rows."""
        for part, file in enumerate(self._files):
            self._look_through(part, file)
        yield from heapq.merge(*(self._found(part) for part in range(PARTS)))

    def _look_through(self, part: int, file: BinaryIO) -> None:
        """Write down what is superseded in one part."""
        last: dict[str, int] = {}
        for rows, keys in _read(file):
            last.update(zip(keys, rows, strict=True))
        with self._path("found", part).open("wb") as found:
            for rows, keys in _read(file):
                pairs = [(row, last[key]) for row, key in zip(rows, keys, strict=True) if last[key] != row]
                if pairs:
                    found.write(orjson.dumps(pairs, option=orjson.OPT_APPEND_NEWLINE))

    def _found(self, part: int) -> Iterator[tuple[int, int]]:
        with self._path("found", part).open("rb") as found:
            for line in found:
                yield from (tuple(pair) for pair in orjson.loads(line))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()

    def _path(self, what: str, part: int) -> Path:
        return self._folder / f"{what}-{part:02}"


def _read(file: BinaryIO) -> Iterator[tuple[list[int], list[str]]]:
    file.seek(0)
    for line in file:
        rows, keys = orjson.loads(line)
        yield rows, keys
