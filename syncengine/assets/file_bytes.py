"""The bytes of files in Design Studio: they lie on a host for browsers, which knows no token and no limit of the API.

Our token never goes there, redirects are not followed, and what comes is taken only when it has the announced size.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/files
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urlsplit

import anyio

from syncengine.clock import Clock
from syncengine.errors import CallRejected, FileDamaged
from syncengine.threads import run_blocking
from syncengine.transport.wire import Wire, WireError, WireRequest

TRIES = 3
WAIT_SECONDS = 2.0
# A host that so many files in a row could not be had from is tried once for each of the others.
LOST_MAX = 5
SILENCE_SECONDS = 120.0
# As many as a browser opens to one host.
AT_ONCE = 6
# What may stand in a path or query as it is; the rest is encoded, and `%` is taken for encoded already.
AS_IT_IS = "/%:@!$&'()*+,;=~-._?"


class FileBytes:
    """Fetches files over one connection pool a host; closed at the end of its block."""

    def __init__(self, wire_to: Callable[[str], AbstractAsyncContextManager[Wire]], clock: Clock) -> None:
        self._wire_to = wire_to
        self._clock = clock
        self._wires: dict[str, Wire] = {}
        self._opened = AsyncExitStack()
        self._turn = anyio.Lock()
        self._places = anyio.CapacityLimiter(AT_ONCE)
        self._lost: Counter[str] = Counter()
        self.fetched = 0

    async def __aenter__(self) -> "FileBytes":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def fetch(self, url: str, size: int, part: Path) -> str:
        """Bring the bytes at `url` to the file `part`, exactly `size` of them, and give their SHA-256.

        Raises CallRejected for an address that is none or an answer that is no file, FileDamaged for other bytes than
        were announced, or when the host cannot be read: that is no fault of Marketo's API, which goes on.
        """
        origin, target = place_of(url)
        wire = await self._wire(origin)
        for attempt in range(1, TRIES + 1):
            try:
                async with self._places:
                    sha256 = await self._pour(wire, target, size, part)
            except WireError as error:
                if attempt == TRIES or self._lost[origin] >= LOST_MAX:
                    self._lost[origin] += 1
                    raise FileDamaged(f"{origin} cannot be read: {error}") from error
                await self._clock.sleep(WAIT_SECONDS * attempt)
            else:
                self._lost[origin] = 0
                self.fetched += size
                return sha256
        raise AssertionError("the last try ends in one of two ways")

    async def _wire(self, origin: str) -> Wire:
        async with self._turn:
            if origin not in self._wires:
                self._wires[origin] = await self._opened.enter_async_context(self._wire_to(origin))
            return self._wires[origin]

    async def _pour(self, wire: Wire, target: str, size: int, part: Path) -> str:
        request = WireRequest("GET", target, {"Accept-Encoding": "identity"})
        done, digest = 0, hashlib.sha256()
        with part.open("wb") as file:
            async with AsyncExitStack() as opened:
                with self._soon():
                    answer = await opened.enter_async_context(wire.send(request))
                if answer.status != 200:
                    raise CallRejected(f"HTTP {answer.status} where a file should be", code=str(answer.status))
                pieces = answer.pieces()
                while True:
                    with self._soon():
                        piece = await anext(pieces, b"")
                    done += len(piece)
                    if not piece or done > size:
                        break
                    digest.update(piece)
                    await run_blocking(partial(file.write, piece))
        if done != size:
            raise FileDamaged(f"{done if done <= size else 'more'} bytes came where {size} were announced")
        return digest.hexdigest()

    @contextmanager
    def _soon(self) -> Iterator[None]:
        """Bound a wait for headers, or between two pieces: a large file may take as long as it flows."""
        try:
            with self._clock.fail_after(self._clock.io_seconds(SILENCE_SECONDS)):
                yield
        except TimeoutError as error:
            raise WireError("no data within the time allowed", sent=True) from error


def place_of(url: str) -> tuple[str, str]:
    """The host that a file lies on and its path there; CallRejected for an address that is none."""
    try:
        address = urlsplit(url)
        is_usable = address.scheme in {"http", "https"} and bool(address.hostname) and "@" not in address.netloc
        is_usable = is_usable and address.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise CallRejected(f"the address of the file cannot be used: {url[:200]}", call="file.bytes")
    target = quote(address.path or "/", safe=AS_IT_IS)
    if address.query:
        target += f"?{quote(address.query, safe=AS_IT_IS)}"
    return f"{address.scheme}://{address.netloc}", target
