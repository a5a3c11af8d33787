"""Files that are compressed, encoded or piped: their text is read, their bytes are hashed, their damage is shown."""

import gzip
import hashlib
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import SourceUnusable
from syncengine.sources.opening import open_source
from tests.unit.sources.reading import Opens, assert_records_hold_rows, read

TEXT = 'name,city\r\n"Zoë ""Z""\n",Łódź\n\U0001f600,\u2028\n'
ROWS = [('Zoë "Z"\n', "Łódź"), ("\U0001f600", "\u2028")]


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    ("codec", "mark", "encoding"),
    [
        ("utf-8", "", None),
        ("utf-8", "\ufeff", None),
        ("utf-8", "\ufeff", "UTF8"),
        ("utf-16-le", "\ufeff", None),
        ("utf-16-be", "\ufeff", None),
        ("utf-16-le", "\ufeff", "utf-16"),
        ("utf-16-le", "", "utf-16-le"),
        ("utf-16-le", "\ufeff", "utf-16-le"),
        ("utf-32-le", "\ufeff", None),
        ("utf-32-be", "\ufeff", None),
        ("gb18030", "", "gb18030"),
    ],
)
def test_text_is_read_in_any_encoding(
    opened: Opens, tmp_path: Path, gzipped: bool, codec: str, mark: str, encoding: str | None
) -> None:
    """With a mark or by its name, compressed or not; the hash is that of the bytes as they were given."""
    data = (mark + TEXT).encode(codec)
    data = gzip.compress(data) if gzipped else data
    source = opened(data, "people.csv.gz" if gzipped else "people.csv", encoding=encoding)

    whole = read(source, tmp_path)

    assert ("name", "city") == source.columns
    assert ROWS == whole.rows
    assert [0, 0] == [body for body, _, _ in whole.places]
    assert_records_hold_rows(whole)
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (source.sha256, source.size)


def test_a_file_that_is_utf8_is_not_copied(opened: Opens, tmp_path: Path) -> None:
    """Its rows lie in the file itself."""
    source = opened(TEXT.encode())

    assert tmp_path / "people.csv" == source.path
    assert not (tmp_path / "work").exists()


@settings(deadline=None)  # machines may be busy
@given(
    text=st.text(st.sampled_from("aé€😀,\n"), max_size=40),
    damage=st.integers(0, 200),
    codec=st.sampled_from(["utf-8", "utf-16-le", "shift_jis", "ascii"]),
)
def test_a_byte_that_is_no_text_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, text: str, damage: int, codec: str
) -> None:
    """Wherever a text breaks, the offset is that of the whole decoder, and the line is the one it is in."""
    data = text.encode(codec, "ignore")
    at = damage % (len(data) + 1)
    data = data[:at] + b"\xff\xdf\xff\xdf" + data[at:]
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a.csv").write_bytes(b"h\n".decode().encode(codec) + data)
    data = (folder / "a.csv").read_bytes()
    try:
        data.decode("utf-8" if codec == "ascii" else codec)
    except UnicodeDecodeError as error:
        expected = error
    else:
        return

    with pytest.raises(SourceUnusable) as failure:
        read(open_source(str(folder / "a.csv"), work=folder, encoding=codec), folder)

    line = 1 + data[: expected.start].decode("utf-8" if codec == "ascii" else codec).count("\n")
    message = f"line {line}: byte 0x{data[expected.start]:02X} at offset {expected.start} is no "
    assert message in failure.value.message


@pytest.mark.parametrize("codec", ["shift_jis", "utf-16-be", "utf-8"])
def test_a_long_text_is_decoded_in_parts(opened: Opens, tmp_path: Path, codec: str) -> None:
    """A character that lies across two of them is one; what is wrong is where it is in the whole."""
    rows = [f"x{'あ' * 97}" for _ in range(5_000)]
    data = "\n".join(["a", *rows]).encode(codec)
    assert [(row,) for row in rows] == read(opened(data, encoding=codec), tmp_path).rows

    data += b"\xd8\xff\xd8\xff"
    with pytest.raises(UnicodeDecodeError) as expected:
        data.decode(codec)
    with pytest.raises(SourceUnusable) as failure:
        read(opened(data, encoding=codec), tmp_path)

    byte, offset = data[expected.value.start], f"{expected.value.start:,}"
    assert f", line 5,001: byte 0x{byte:02X} at offset {offset} is no {codec.upper()}" in failure.value.message


@pytest.mark.parametrize("encoding", ["utf-99", "rot13", "base64", "", "a\0b", "undefined", "ü"])
def test_an_encoding_that_is_none_is_refused(opened: Opens, encoding: str) -> None:
    """With examples of those that are."""
    with pytest.raises(SourceUnusable, match=r"^there is no encoding '") as failure:
        opened(b"a\n", encoding=encoding)

    assert "cp1252 (Windows)" in failure.value.advice


def test_standard_input_is_kept_and_read(tmp_path: Path) -> None:
    """What is piped in is a source like a file; what it is, its bytes say."""
    data = gzip.compress('{"a": 1}\n'.encode("utf-16"))
    source = open_source("-", work=tmp_path / "work", stdin=io.BytesIO(data))

    assert "standard input" == source.name
    assert ("a",) == source.columns
    assert [("1",)] == read(source, tmp_path).rows
    assert hashlib.sha256(data).hexdigest() == source.sha256


def test_a_pipe_with_a_name_is_read_like_standard_input(tmp_path: Path) -> None:
    """As shells make them for <(...): nothing can be read from it twice."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[TEXT.encode()])
    writer.start()
    source = open_source(str(tmp_path / "pipe"), work=tmp_path / "work")
    writer.join()

    assert ROWS == read(source, tmp_path).rows


def test_gzip_of_several_parts_is_one_text(opened: Opens, tmp_path: Path) -> None:
    """As `cat a.gz b.gz` makes it."""
    source = opened(gzip.compress(b"a,b\n1,") + gzip.compress(b"2\n"), "all.csv.gz")

    assert [("1", "2")] == read(source, tmp_path).rows


@pytest.mark.parametrize("name", ["people.csv.gz", "people.csv", "people"])
def test_only_bytes_say_whether_a_file_is_gzip(opened: Opens, tmp_path: Path, name: str) -> None:
    """Browsers unpack files and leave their names, and others pack them and forget."""
    assert ("a",) == opened(b"a\n1\n", name).columns
    assert ("b",) == opened(gzip.compress(b"b\n1\n"), name).columns


@pytest.mark.parametrize("keep", [12, 25, -9, -4])
def test_gzip_that_breaks_off_is_refused(opened: Opens, keep: int) -> None:
    """Half of a file is not imported as if it were the whole."""
    data = gzip.compress("".join(f"{n},{n * n}\n" for n in range(9_999)).encode())

    with pytest.raises(SourceUnusable, match=r"people\.csv\.gz is damaged: its gzip breaks at about offset") as failure:
        opened(data[:keep], "people.csv.gz")

    assert "fetch or compress the file again" == failure.value.advice


def test_gzip_with_a_wrong_byte_is_refused(opened: Opens) -> None:
    """The checksum at its end is looked at."""
    data = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000))
    data[-6] ^= 1

    with pytest.raises(SourceUnusable, match="is damaged"):
        opened(bytes(data), "people.csv.gz")
