"""Where Delta tables lie, a local folder or an S3 bucket: bytes of parts both ways, and what its errors mean.

Apart from the Delta log, which deltalake writes: parts are written by DuckDB, and moved here.

Bytes go to and from S3 through pyarrow: deltalake's own file handles keep other threads from running while they wait.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from syncengine.destinations.lake_parts import Fresh, Part, file_name, os_errors
from syncengine.errors import ConfigError, DestinationUnavailable, NoSpace, SyncEngineError

if TYPE_CHECKING:
    import pyarrow.fs as pafs

_CHUNK_BYTES = 8_000_000
_REQUEST_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
# deltalake's own are ten tries in three minutes: that would look like a hang.
_PATIENCE = {"max_retries": "5", "retry_timeout": "60s"}

_HIDDEN = re.compile(r"secret|token|password|key|sas|credential", re.IGNORECASE)
_CODE = re.compile(r"<Code>(\w+)</Code>|AWS Error ([A-Z_]+)")


class Storage(Protocol):
    """A place with a folder for each table; raises our errors, about `place`."""

    place: str
    options: dict[str, str]  # deltalake's storage options; they hold secrets

    def url(self, table: str) -> str:
        """The table's address for deltalake."""
        ...

    def fetch(self, table: str, part: Part, stored: tuple[str, ...] | None, into: Path) -> Path:
        """A local file with these columns of a part, all for None; copied to the folder `into` where it has to be."""
        ...

    def put(self, table: str, fresh: Fresh) -> None:
        """Move a new part to the table's folder; it is there to stay when this returns."""
        ...

    def settle(self, table: str, version: int) -> None:
        """Have a version of the table, already committed, survive a power cut."""
        ...

    def prove(self) -> None:
        """Write something, and remove it."""
        ...

    def errors(self) -> AbstractContextManager[None]:
        """A block in which errors of deltalake, pyarrow and the operating system come out as ours."""
        ...


class Folder:
    """Tables in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.place = str(self.root)
        self.options: dict[str, str] = {}

    def url(self, table: str) -> str:
        if self.root.exists() and not self.root.is_dir():
            raise DestinationUnavailable(f"{self.place} is not a folder", advice="choose another [destination] path")
        return str(self.root / file_name(table))

    def fetch(self, table: str, part: Part, stored: tuple[str, ...] | None, into: Path) -> Path:  # noqa: ARG002
        return self.root / file_name(table) / unquote(part.path)

    def put(self, table: str, fresh: Fresh) -> None:
        folder = self.root / file_name(table)
        with os_errors(self.root):
            arriving = folder / f"_{fresh.part.path}.new"  # Delta takes no notice of what begins so
            shutil.move(fresh.file, arriving)
            _sync(arriving)
            arriving.replace(folder / fresh.part.path)
            _sync(folder)

    def settle(self, table: str, version: int) -> None:
        log = self.root / file_name(table) / "_delta_log"
        with os_errors(self.root):
            for path in (log / f"{version:020}.json", log, log.parent, self.root):
                _sync(path)

    def prove(self) -> None:
        with os_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / "_marketo_probe"
            probe.write_bytes(b"")
            probe.unlink()

    @contextmanager
    def errors(self) -> Iterator[None]:
        with _translating(self.place, {}):
            yield


class Bucket:
    """Tables below a prefix of an S3 bucket."""

    def __init__(self, uri: str, options: Mapping[str, str]) -> None:
        self.place = uri.rstrip("/")
        self.options = {**_PATIENCE, **options}
        split = urlsplit(self.place)
        self._base = f"{split.netloc}{split.path}"
        self._opened: pafs.FileSystem | None = None

    def url(self, table: str) -> str:
        return f"{self.place}/{file_name(table)}"

    def fetch(self, table: str, part: Part, stored: tuple[str, ...] | None, into: Path) -> Path:
        import pyarrow.parquet as pq

        name = hashlib.sha256(repr((table, part.path, stored)).encode()).hexdigest()
        local = into / f"{name}.parquet"
        if local.exists():
            return local
        with self.errors(), self._system().open_input_file(self._path(table, unquote(part.path))) as source:
            if stored is None:
                with local.with_suffix(".new").open("wb") as target:
                    while chunk := source.read(_CHUNK_BYTES):
                        target.write(chunk)
            else:
                file = pq.ParquetFile(source)
                names = [name for name in file.schema_arrow.names if name in stored]
                schema = file.schema_arrow.empty_table().select(names).schema
                with pq.ParquetWriter(local.with_suffix(".new"), schema) as writer:
                    for batch in file.iter_batches(columns=names):
                        writer.write_batch(batch.select(names))
            return local.with_suffix(".new").rename(local)

    def put(self, table: str, fresh: Fresh) -> None:
        with self.errors(), fresh.file.open("rb") as source:
            target = self._system().open_output_stream(self._path(table, fresh.part.path))
            with target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
            arrived = self._system().get_file_info(self._path(table, fresh.part.path)).size
            if arrived != fresh.part.bytes:
                raise DestinationUnavailable(f"{self.place} holds {arrived} of {fresh.part.bytes} bytes of a new part")
        fresh.file.unlink()

    def settle(self, table: str, version: int) -> None:
        """S3 answers only when an object is there to stay."""

    def prove(self) -> None:
        with self.errors():
            probe = f"{self._base}/_marketo_probe"
            with self._system().open_output_stream(probe):
                pass
            self._system().delete_file(probe)

    @contextmanager
    def errors(self) -> Iterator[None]:
        with _translating(self.place, self.options):
            yield

    def _path(self, table: str, name: str) -> str:
        return f"{self._base}/{file_name(table)}/{name}"

    def _system(self) -> "pafs.FileSystem":
        from pyarrow import fs

        if self._opened is None:
            given = {re.sub(r"^aws_", "", name.lower()): value for name, value in self.options.items()}
            endpoint = given.get("endpoint_url") or given.get("endpoint") or ""
            scheme, _, host = endpoint.rpartition("://")
            self._opened = fs.S3FileSystem(
                access_key=given.get("access_key_id"),
                secret_key=given.get("secret_access_key"),
                session_token=given.get("session_token") or given.get("token"),
                region=given.get("region") or given.get("default_region"),
                scheme="http" if scheme == "http" else "https",
                endpoint_override=host or None,
                force_virtual_addressing=given.get("virtual_hosted_style_request", "").lower() == "true",
                request_timeout=_REQUEST_SECONDS,
                connect_timeout=_CONNECT_SECONDS,
                retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=int(given["max_retries"])),
            )
        return self._opened


def storage(uri: str, options: Mapping[str, str]) -> Storage:
    """The storage that an address names: s3://bucket/prefix, a path or a file:// URL."""
    split = urlsplit(uri)
    if split.scheme in {"s3", "s3a"} and split.netloc:
        return Bucket(uri, options)
    if split.scheme == "file":
        return Folder(Path(unquote(split.path)))
    if "://" in uri:
        raise ConfigError(
            f"Delta tables cannot be kept at {split.scheme}://", advice="name a folder or s3://bucket/prefix"
        )
    return Folder(Path(uri).expanduser())


def explained(error: Exception, place: str, options: Mapping[str, str]) -> SyncEngineError:
    """One sentence about what went wrong with storage; no secret of the options is ever in it."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    code = next((first or second for first, second in _CODE.findall(text)), "")
    bare = code.replace("_", "").lower()
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return NoSpace(f"the disk is full at {place}; nothing was applied", advice="free room, then run again")
    if bare == "nosuchbucket":
        return DestinationUnavailable(f"{place}: there is no such bucket", advice="create it, or mend the name")
    if "169.254.169.254" in text or "latest/meta-data" in text or "credential" in text.lower():
        advice = "set storage_options or the AWS environment variables"
        return DestinationUnavailable(f"{place}: no credentials were found", advice=advice)
    if bare in {"accessdenied", "invalidaccesskeyid", "signaturedoesnotmatch", "expiredtoken"} or "403" in text:
        return DestinationUnavailable(f"{place} refuses these credentials ({code or 'Forbidden'})")
    if any(
        sign in text.lower()
        for sign in ("error sending request", "networkconnection", "network_connection", "curlcode")
    ):
        return DestinationUnavailable(
            f"{place} cannot be reached; nothing was applied", advice="run again when it is back"
        )
    for name, value in options.items():
        if _HIDDEN.search(name) and value:
            text = text.replace(value, "***")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return DestinationUnavailable(f"{place}: {lines[0] if lines else type(error).__name__}")


@contextmanager
def _translating(place: str, options: Mapping[str, str]) -> Iterator[None]:
    import pyarrow as pa
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError, pa.ArrowException) as error:
        raise explained(error, place, options) from None  # deltalake's own text may hold what its options hold


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
