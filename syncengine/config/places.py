"""What each kind of destination takes, and what it can promise: decisions on a [destination] as it was written.

Apart from the settings, whose keys are the same for every kind.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

from syncengine.config.settings import DEFAULT_WAREHOUSE, DESTINATIONS, GUARANTEES, DestinationSettings

# What a kind takes besides type and guarantee.
TAKES = {
    "duckdb": ("path", "schema", "memory_limit_mb", "threads", "lock_wait_seconds"),
    "postgres": ("url", "schema", "lock_wait_seconds"),
    "delta": ("path", "url", "storage_options", "memory_limit_mb", "threads"),
    "parquet": ("path", "memory_limit_mb", "threads", "lock_wait_seconds"),
}
OF_ALL = ("type", "guarantee")
_CONNECTION = re.compile(r"postgres(ql)?://.+|.*\w\s*=.*", re.DOTALL)
# As a path it has lost one of its slashes.
_PLACE = re.compile(r"[a-z][a-z0-9+]+:/", re.IGNORECASE)
_BUCKET = re.compile(r"s3a?://[^/\s]+(/.*)?")


def misfits(chosen: DestinationSettings) -> Iterator[tuple[str, str]]:
    """Each key that is wrong for this kind of destination, and the sentence that says so; never a value of `url`.

    Looks at paths as they were written: one that is not the default was chosen by somebody.
    """
    kind, takes = chosen.type, TAKES[chosen.type]
    if _PLACE.match(str(chosen.path)):
        other = " and is a url" if "url" in takes else f': type = "{kind}" takes none'
        yield "path", f"takes a place on this machine; what begins like s3:// or postgresql:// is none{other}"
    for field in fields(DestinationSettings):
        default = field.default if field.default is not MISSING else {}
        if field.name not in (*OF_ALL, *takes) and getattr(chosen, field.name) != default:
            yield field.name, f'does not belong to type = "{kind}", which takes {", ".join(takes)}'
    if kind == "postgres":
        yield from _of_postgres(chosen)
    elif kind == "delta" and chosen.url is not None:
        yield from _of_bucket(chosen)
    elif kind in {"delta", "parquet"} and chosen.path == DEFAULT_WAREHOUSE:
        yield "path", f'is missing: type = "{kind}" takes the folder for its tables'
    if kind == "delta" and chosen.url is None and chosen.storage_options:
        yield "storage_options", "belong to a url such as s3://bucket/marketo; a path takes none"
    if sentence := too_weak(kind, chosen.guarantee):
        yield "guarantee", sentence


def too_weak(kind: str, demanded: str) -> str | None:
    """What to tell where a kind of destination cannot promise what is demanded; None where it can."""
    given = DESTINATIONS[kind]
    if GUARANTEES.index(given) <= GUARANTEES.index(demanded):
        return None
    able = [name for name, each in DESTINATIONS.items() if GUARANTEES.index(each) <= GUARANTEES.index(demanded)]
    return f'demands "{demanded}", and type = "{kind}" can only be "{given}": take {" or ".join(able)}, or demand less'


def _of_postgres(chosen: DestinationSettings) -> Iterator[tuple[str, str]]:
    if chosen.url is None:
        yield "url", 'is missing: type = "postgres" takes a connection, such as "${DATABASE_URL}"'
    elif not _CONNECTION.fullmatch(chosen.url.reveal()):
        yield "url", 'takes postgresql://user@host:5432/database, or words such as "host=... dbname=..."'


def _of_bucket(chosen: DestinationSettings) -> Iterator[tuple[str, str]]:
    assert chosen.url is not None
    if not _BUCKET.fullmatch(chosen.url.reveal()):
        yield "url", "takes a place such as s3://bucket/marketo; a folder of this machine is a path"
    if chosen.path != DEFAULT_WAREHOUSE:
        yield "path", "stands beside url: keep one of the two"
