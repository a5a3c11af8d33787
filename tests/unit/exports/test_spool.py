"""Rows in the spool: whole under their name, or not there."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from syncengine.errors import FileDamaged
from syncengine.exports.spool import Spool, Written, read, rows_path, sha256_of
from syncengine.schema import Field, FieldType, Schema

SCHEMA = Schema((Field("id", FieldType.INTEGER), Field("email", FieldType.TEXT)), ("id",)).arrow()


def batch(*ids: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"id": each, "email": f"{each}@acme.example"} for each in ids], SCHEMA)


def written(path: Path, *batches: pa.RecordBatch) -> Written:
    with Spool(path, SCHEMA) as spool:
        for each in batches:
            spool.add(each)
        return spool.finish()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("batches", [(), (batch(),), (batch(1),), (batch(1, 2), batch(), batch(3))])
def test_what_was_written_is_read(tmp_path: Path, batches: tuple[pa.RecordBatch, ...]) -> None:
    """Batch for batch, with the count, the size and the hash of the file; no part of it is left over."""
    path = rows_path(tmp_path, "w.1")
    done = written(path, *batches)
    assert list(batches) == list(read(path, done.sha256))
    assert Written(sum(each.num_rows for each in batches), path.stat().st_size, sha256_of(path)) == done
    assert ["w.1.arrow"] == names(tmp_path)


def test_nothing_stands_under_the_name_before_it_is_whole(tmp_path: Path) -> None:
    """Whoever dies while rows come leaves a part, which nobody takes for the file."""
    path = rows_path(tmp_path, "w.1")
    with Spool(path, SCHEMA) as spool:
        spool.add(batch(1))
    assert ["w.1.arrow.part"] == names(tmp_path)


def test_a_part_of_an_earlier_run_is_not_gone_on_with(tmp_path: Path) -> None:
    """A reading is begun anew: rows of the part are not there twice."""
    path = rows_path(tmp_path, "w.1")
    path.with_name("w.1.arrow.part").write_bytes(b"half of something")
    done = written(path, batch(7))
    assert [batch(7)] == list(read(path, done.sha256))
    assert ["w.1.arrow"] == names(tmp_path)


def test_a_file_that_is_there_is_replaced_at_once(tmp_path: Path) -> None:
    """The second time has its own rows and hash, and until it is whole the first one stands."""
    path = rows_path(tmp_path, "w.1")
    first = written(path, batch(1))
    with Spool(path, SCHEMA) as spool:
        spool.add(batch(2))
        assert [batch(1)] == list(read(path, first.sha256))
        second = spool.finish()
    assert [batch(2)] == list(read(path, second.sha256))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-9],
    "empty": lambda _: b"",
    "longer": lambda data: data + b"\0",
    "a flipped bit": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_has_changed_is_damaged(tmp_path: Path, damage: str) -> None:
    """Not one of its rows is given, and the message holds none of them."""
    path = rows_path(tmp_path, "w.1")
    done = written(path, batch(1, 2))
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(FileDamaged, match=r"w\.1\.arrow") as caught:
        next(read(path, done.sha256))
    assert "acme" not in str(caught.value)
