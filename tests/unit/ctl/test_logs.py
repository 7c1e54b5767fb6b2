"""Reading on at the end of files that others write, move and cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest

from circus.ctl import journal
from circus.ctl.logs import log_files
from circus.ctl.printer import BLOCK_BYTES, Printer, escaped
from circus.ctl.tail import Tail
from circus.exc import CircusError
from circus.stream import FileStream, TimedRotatingFileStream
from tests.support import read_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    class Start(Protocol):
        def __call__(self, path: Path, lines: int = 10) -> Tail: ...


@pytest.fixture
def tail() -> Iterator[Start]:
    started: list[Tail] = []

    def start(path: Path, lines: int = 10) -> Tail:
        found = Tail(str(path))
        started.append(found)
        found.start(lines)
        return found

    yield start
    for one in started:
        one.close()


def rest(following: Tail) -> bytes:
    data = b""
    while more := following.read():
        data += more
    return data


@pytest.mark.parametrize(
    ("content", "lines", "shown"),
    [
        (b"", 3, b""),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\nc\n", 3, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 9, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 0, b""),
        (b"a\nb\nc", 0, b""),
        (b"\n\n\n", 2, b"\n\n"),
        (b"x" * BLOCK_BYTES + b"\nlast\n", 1, b"last\n"),
        (b"first\n" + b"x" * 3 * BLOCK_BYTES + b"\n", 1, b"x" * 3 * BLOCK_BYTES + b"\n"),
        (b"a\n" + b"x" * (BLOCK_BYTES - 1) + b"\n", 1, b"x" * (BLOCK_BYTES - 1) + b"\n"),
        (b"a\n" + b"y\n" * BLOCK_BYTES, BLOCK_BYTES, b"y\n" * BLOCK_BYTES),
    ],
)
def test_the_last_lines(
    tail: Start, tmp_path: Path, content: bytes, lines: int, shown: bytes
) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    assert rest(tail(path, lines)) == shown


def test_it_goes_on(tail: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\n")
    following = tail(path, 0)
    assert rest(following) == b""
    with path.open("ab") as file:
        file.write(b"b\n")
    assert rest(following) == b"b\n"


def test_it_follows_the_name_after_a_rotation(tail: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\n")
    following = tail(path)
    with path.open("ab") as file:
        path.rename(tmp_path / "log.1")
        path.write_bytes(b"new\n")
        file.write(b"the last of the old\n")
    assert rest(following) == b"a\nthe last of the old\nnew\n"


KINDS: dict[str, Callable[[str], FileStream]] = {
    "FileStream": lambda path: FileStream(path, max_bytes=40, backup_count=50),
    "TimedRotatingFileStream": lambda path: TimedRotatingFileStream(path, rotate_when="S"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_misses_no_file_that_had_the_name_for_a_moment(
    tail: Start, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "log"
    (tmp_path / "log.20200101000000").write_bytes(b"long ago\n")
    (tmp_path / "log.1.gz").write_bytes(b"packed\n")
    stream = KINDS[kind](str(path))
    following = tail(path, 0)
    shown, written = b"", b""
    for number in range(40):
        data = b"this is line %d\n" % number
        stream({"pid": 1, "name": "stdout", "data": data, "timestamp": 1e9 + number})
        written += data
        if number % 10 == 9:  # between two looks, several files
            shown += rest(following)
    stream.close()
    assert shown == written


def test_it_begins_again_when_the_file_is_cut(tail: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a long line\n")
    following = tail(path)
    assert rest(following) == b"a long line\n"
    path.write_bytes(b"")
    assert rest(following) == b""
    path.write_bytes(b"b\n")
    assert rest(following) == b"b\n"


def test_a_file_may_come_later(tail: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    following = tail(path)
    assert rest(following) == b""
    path.write_bytes(b"a\n")
    assert rest(following) == b"a\n"


def test_what_cannot_be_read_is_told(tail: Start, tmp_path: Path) -> None:
    with pytest.raises(CircusError, match=r"cannot read .*: Is a directory"):
        tail(tmp_path)


@pytest.mark.parametrize(
    ("options", "files"),
    [
        (
            {"stdout_stream.filename": "/a", "stderr_stream.filename": "/b"},
            {"/a": ["stdout"], "/b": ["stderr"]},
        ),
        (
            {"stdout_stream_conf": {"filename": "/a"}, "stderr_stream_conf": None},
            {"/a": ["stdout"]},
        ),
        (
            {"stdout_stream.filename": "/a", "stderr_stream.filename": "/a"},
            {"/a": ["stdout", "stderr"]},
        ),
        ({"cmd": "x"}, {}),
    ],
)
def test_files_are_found_in_options(
    options: dict[str, object], files: dict[str, list[str]]
) -> None:
    assert log_files(options) == files


def test_control_characters_are_written_out() -> None:
    assert escaped("a\tb\n") == "a\tb\n"
    assert escaped("\x1b]0;x\x07é\x9b") == "\\x1b]0;x\\x07é\\x9b"


def test_a_terminal_gets_them_written_out_and_whole_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    with open(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        printer = Printer(with_names=True)
        for path, data in (("a", b"\x1b[2J\xc3"), ("b", b"\xff\n"), ("a", b"\xa9\n")):
            printer.write(path, data)
    shown = read_until(ours, None)
    os.close(ours)
    assert shown.splitlines() == [
        *("==> a <==", "\\x1b[2J"),
        *("==> b <==", "\\xff", ""),
        *("==> a <==", "é"),
    ]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"stdout_stream.class": "FileStream", "stderr_stream.class": "QueueStream"}, []),
        (
            {"stdout_stream.class": "FileStream", "stderr_stream.class": "JournalStream"},
            ["CIRCUS_WATCHER=w", "CIRCUS_STREAM=stderr"],
        ),
        (
            {
                "stdout_stream.class": "circus.stream.JournalStream",
                "stdout_stream.folder": "/run/systemd/journal.shop",
                "stderr_stream.class": "FileStream",
            },
            ["CIRCUS_WATCHER=w", "CIRCUS_STREAM=stdout", "--namespace=shop"],
        ),
        (
            {
                "stdout_stream.class": "JournalStream",
                "stdout_stream.folder": "/elsewhere",
                "stdout_stream.mode": "direct",
                "stderr_stream.class": "FileStream",
            },
            ["CIRCUS_WATCHER=w", "CIRCUS_STREAM=stdout", "+",
             "SYSLOG_IDENTIFIER=w", "_TRANSPORT=stdout"],
        ),
    ],
)  # fmt: skip
def test_what_journalctl_is_to_look_for(options: dict[str, object], wanted: list[str]) -> None:
    assert journal.search("w", options) == wanted


def test_without_journalctl_there_is_no_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not journal.has_any(["CIRCUS_WATCHER=w"])
    with pytest.raises(CircusError, match="into the journal: journalctl: No such file"):
        journal.show([], lines=1, since=None, follow=False)
