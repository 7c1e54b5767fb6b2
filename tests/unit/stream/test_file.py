"""What FileStream leaves in files."""

from __future__ import annotations

import fcntl
import os
import resource
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus.exc import CircusError
from circus.stream import FileStream, Unwritten, WatchedFileStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) == before


def write(sink: FileStream, data: bytes, pid: int = 1) -> None:
    sink({"pid": pid, "name": "stdout", "data": data})


def files(path: Path, count: int) -> bytes:
    """Everything in the backups and the file, oldest first."""
    backups = [path.with_name(f"{path.name}.{n}") for n in range(count, 0, -1)]
    return b"".join(one.read_bytes() for one in [*backups, path] if one.exists())


def test_it_appends_and_ignores_options_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old\n")
    sink = FileStream(filename=str(path), refresh_time="0.3")
    write(sink, b"new\n")
    sink.close()
    assert path.read_bytes() == b"old\nnew\n"


def test_without_a_filename_it_makes_a_temporary_file() -> None:
    sink = FileStream()
    sink({"data": "text and no pid €\n"})
    sink.close()
    with open(sink.filename, "rb") as file:
        assert file.read() == "text and no pid €\n".encode()
    os.unlink(sink.filename)


@pytest.mark.parametrize("option", ["max_bytes", "backup_count"])
@pytest.mark.parametrize("value", ["many", "-1", -1, "1.5"])
def test_a_bad_number_is_told(option: str, value: str | int, tmp_path: Path) -> None:
    with pytest.raises(CircusError, match=f"{option} must be a whole number"):
        FileStream(str(tmp_path / "out"), **{option: value})  # type: ignore[arg-type]  # on purpose


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CircusError, match=r"cannot write to .*: No such file or directory"):
        FileStream(str(tmp_path / "no" / "out"))
    with pytest.raises(CircusError, match=r"cannot write to .*: Is a directory"):
        FileStream(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CircusError, match=r"cannot write to .*: No such device or address"):
        FileStream(str(tmp_path / "pipe"))


def test_streams_of_one_file_share_it_and_never_a_line(tmp_path: Path) -> None:
    path = tmp_path / "out"
    (tmp_path / "link").symlink_to(path)
    one, two = FileStream(str(path)), FileStream(str(tmp_path / "link"))
    assert one.place == two.place
    write(one, b"unfinished", pid=1)
    write(two, b"whole\n", pid=2)
    one.close()
    write(two, b"and ", pid=2)
    write(two, b"on\n", pid=2)
    two.close()
    assert path.read_bytes() == b"unfinished\nwhole\nand on\n"


def test_a_dropped_stream_closes_its_file(tmp_path: Path) -> None:
    FileStream(str(tmp_path / "out"))
    write(FileStream(str(tmp_path / "out")), b"line\n")


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.binary(min_size=1, max_size=40)), min_size=1, max_size=20
    ),
    st.integers(1, 60),
)
def test_t26_rolling_loses_and_tears_nothing(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, bytes]], limit: int
) -> None:
    path = tmp_path_factory.mktemp("roll") / "out"
    sink = FileStream(str(path), max_bytes=limit, backup_count="1000")
    for pid, piece in pieces:
        write(sink, piece + b"\n", pid)
    sink.close()
    assert files(path, 1000) == b"".join(piece + b"\n" for _pid, piece in pieces)
    for one in path.parent.iterdir():
        content = one.read_bytes()
        assert content.endswith(b"\n") or not content
        assert len(content) < limit or content.count(b"\n") == 1


def test_t26_only_so_many_backups_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), max_bytes="10", backup_count="2")
    for number in range(6):
        write(sink, b"line %d\n" % number)
    sink.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "out.1", "out.2"]
    assert files(path, 2) == b"line 3\nline 4\nline 5\n"


def test_t26_without_backups_a_full_file_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), max_bytes="10")
    for number in range(6):
        write(sink, b"line %d\n" % number)
    sink.close()
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    assert path.read_bytes() == b"line 5\n"


def test_t26_a_line_in_pieces_is_not_torn_by_rolling(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), max_bytes="10", backup_count="9")
    for piece in (b"a\n", b"begun ", b"gone on ", b"ended\nb", b"c\n"):
        write(sink, piece)
    sink.close()
    assert (tmp_path / "out.1").read_bytes() == b"a\nbegun gone on ended\n"
    assert path.read_bytes() == b"bc\n"


def test_t25_a_directory_that_was_moved_stops_rolling_not_writing(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileStream(str(folder / "out"), max_bytes="10", backup_count="2")
    write(sink, b"12345678\n")
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(Unwritten, match="cannot rotate") as caught:
        write(sink, b"abc\n")
    assert caught.value.written == 4
    folder.mkdir()
    write(sink, b"def\n")
    sink.close()
    assert (moved / "out").read_bytes() == b"12345678\nabc\n"
    assert (folder / "out").read_bytes() == b"def\n"


def test_t25_nothing_is_written_to_a_file_that_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileStream(str(folder / "out"))
    write(sink, b"begun")
    os.unlink(folder / "out")
    folder.rmdir()
    with pytest.raises(CircusError, match=r"cannot reopen .*No such file or directory"):
        write(sink, b" lost\n")
    folder.mkdir()
    write(sink, b"again\n")
    os.unlink(folder / "out")
    write(sink, b"and again\n")
    sink.close()
    assert (folder / "out").read_bytes() == b"and again\n"


def test_t25_a_deleted_file_that_still_has_a_path_is_written_to() -> None:
    with tempfile.TemporaryFile() as file:
        sink = FileStream(f"/proc/self/fd/{file.fileno()}")
        write(sink, b"line\n")
        sink.close()
        assert file.read() == b"line\n"


def test_t25_a_roll_that_fails_does_not_push_backups_out(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), max_bytes="10", backup_count="2")
    write(sink, b"first 89\n")
    path.rename(tmp_path / "out.1")  # as if opening the new file had failed
    path.mkdir()
    for _attempt in range(3):
        with pytest.raises(Unwritten, match="Is a directory"):
            write(sink, b"more\n")
    path.rmdir()
    write(sink, b"last\n")
    sink.close()
    assert (tmp_path / "out.1").read_bytes() == b"first 89\nmore\nmore\nmore\n"
    assert path.read_bytes() == b"last\n"
    assert not (tmp_path / "out.2").exists()


def test_t25_reopen_makes_a_new_file_only_when_the_old_one_was_moved(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    write(sink, b"one\n")
    inode = path.stat().st_ino
    sink.reopen()
    assert path.stat().st_ino == inode
    path.rename(tmp_path / "moved")
    write(sink, b"two\n")
    sink.reopen()
    write(sink, b"three\n")
    assert ((tmp_path / "moved").read_bytes(), path.read_bytes()) == (b"one\ntwo\n", b"three\n")
    path.rename(tmp_path / "moved again")
    path.mkdir()
    with pytest.raises(CircusError, match="cannot reopen"):
        sink.reopen()
    write(sink, b"kept open\n")
    sink.close()
    assert (tmp_path / "moved again").read_bytes() == b"three\nkept open\n"


def test_t25_copytruncate_leaves_no_hole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    write(sink, b"x" * 10000 + b"\n")
    os.truncate(path, 0)
    write(sink, b"after\n")
    sink.close()
    assert path.read_bytes() == b"after\n"


def test_t25_a_full_disk_cuts_a_line_but_joins_none(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), time_format="T")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (25, hard))
    try:
        with pytest.raises(Unwritten, match="File too large") as caught:
            write(sink, b"first\nsecond\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    write(sink, b"third\n")
    sink.close()
    assert path.read_bytes() == b"T [1] | first\nT [1] | sec\nT [1] | third\n"
    assert caught.value.written == len(b"first\nsec")


def test_t23_a_continued_line_gets_no_second_stamp(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), time_format="T")
    write(sink, b"Password: ")
    write(sink, b"ok\nnext\n")
    write(sink, b"again ")
    write(sink, b"other\n", pid=2)
    write(sink, b"rest\n")
    sink.close()
    assert path.read_text().splitlines() == [
        "T [1] | Password: ok",
        "T [1] | next",
        "T [1] | again ",
        "T [2] | other",
        "T [1] | rest",
    ]


def test_t27_a_device_is_a_file_too() -> None:
    sink = FileStream("/dev/null", max_bytes="10", backup_count="3")
    write(sink, b"a line that is longer than the limit\n" * 3)
    sink.close()
    assert not os.path.exists("/dev/null.1")


def test_t25_a_watched_file_is_left_when_it_was_moved_or_deleted(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = WatchedFileStream(str(path))
    write(sink, b"one\nbegun ")
    moved = path.rename(tmp_path / "moved")
    write(sink, b"and ended\n")  # a line stays whole
    write(sink, b"two\n")
    assert moved.read_bytes() == b"one\nbegun and ended\n"
    assert path.read_bytes() == b"two\n"
    path.unlink()
    write(sink, b"three\n")
    (tmp_path / "other").write_bytes(b"other\n")
    (tmp_path / "other").rename(path)
    write(sink, b"four\n")
    sink.close()
    assert path.read_bytes() == b"other\nfour\n"


def test_t25_a_watched_file_that_cannot_be_left_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = WatchedFileStream(str(path), max_bytes="1000", backup_count="1")
    write(sink, b"one\n")
    moved = path.rename(tmp_path / "moved")
    path.mkdir()
    with pytest.raises(Unwritten, match=r"cannot reopen .*Is a directory") as caught:
        write(sink, b"two\n")
    assert caught.value.written == 4
    path.rmdir()
    write(sink, b"three\n")
    sink.close()
    assert (moved.read_bytes(), path.read_bytes()) == (b"one\ntwo\n", b"three\n")


@pytest.mark.parametrize("size", range(1, 24))
def test_t23_a_stamp_that_a_full_pipe_cuts_in_two_is_put_together(
    size: int, tmp_path: Path
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = FileStream(str(path), time_format="T")
    capacity = fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    filler, data = b"x" * (capacity - size - 10) + b"\n", b"a line\n" * 1000
    rest, text = filler + data, b""
    while rest:
        try:
            write(sink, rest)
        except Unwritten as error:
            rest = rest[error.written :]
        else:
            rest = b""
        text += os.read(reader, 1 << 16)
    sink.close()
    os.close(reader)
    assert text == b"T [1] | " + filler + b"T [1] | a line\n" * 1000


def test_what_is_not_open_has_nothing_to_open_anew(tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    path.rename(tmp_path / "out.1")
    sink.reopen()
    assert not path.exists()
    write(sink, b"line\n")
    assert path.read_bytes() == b"line\n"
    sink.close()
