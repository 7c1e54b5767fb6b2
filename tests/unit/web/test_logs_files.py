"""Reading on in files: no line is lost and none comes twice, whatever becomes of the file."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.exc import ArgumentError, CircusError, Denied, MessageError
from circus.web.logs import cursor, files
from circus.web.logs.cursor import Cursor, InFile, InJournal
from circus.web.logs.files import ANSWER_BYTES, LINE_BYTES, STAMP_BYTES, Limits
from circus.web.logs.line import Stamps, line, severity
from circus.web.logs.reading import moment
from tests.support import being, needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = Limits(1000)


class Follower:
    """Reads a file from the beginning, piece by piece; its place goes through text each time."""

    def __init__(self, path: Path, lines: int = 1000) -> None:
        self.path = str(path)
        self.limits = Limits(lines)
        self.place = files.NOWHERE
        self.gaps = 0

    def read(self) -> list[bytes]:
        """One answer."""
        kept = cursor.read(Cursor({"stdout": self.place}, None).text()).files["stdout"]
        piece = files.after(self.path, kept, self.limits)
        self.place = piece.place
        self.gaps += piece.gap
        self.more = piece.more
        return piece.lines

    def read_all(self) -> list[bytes]:
        """Until there is no more."""
        found = self.read()
        while self.more:
            found += self.read()
        return found


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def roll(path: Path, backups: int) -> None:
    """As a FileStream does."""
    for number in range(backups - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))


def test_what_comes_later_is_read_later(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    assert follower.read() == []
    append(path, "one\ntwo\n")
    assert follower.read() == [b"one", b"two"]
    assert follower.read() == []
    append(path, "three\n")
    assert follower.read() == [b"three"]


def test_half_a_line_waits_for_the_rest_and_stands_when_none_comes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    append(path, "one\ntw")
    assert follower.read() == [b"one"]
    append(path, "o\nlast wor")
    assert follower.read() == [b"two"]
    append(path, "ds")
    assert follower.read() == []
    assert follower.read() == [b"last words"]
    assert follower.read() == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_repeated_across_rotations(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "log"
    follower = Follower(path, lines=chance.choice([1, 7, 1000]))
    written: list[bytes] = []
    found: list[bytes] = []
    path.touch()
    follower.read()
    for _ in range(60):
        for _ in range(chance.randrange(5)):
            written.append(b"%d %s" % (len(written), b"x" * chance.randrange(300)))
            append(path, written[-1].decode() + "\n")
        if chance.random() < 0.3 and path.exists():
            roll(path, 50)
            if chance.random() < 0.8:
                path.touch()
        if chance.random() < 0.4:
            found += follower.read()
    append(path, "")
    found += follower.read_all()
    assert (found, follower.gaps) == (written, 0)


def test_a_copy_that_was_made_before_the_file_was_emptied_is_read_to_its_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    append(path, "one\n")
    assert follower.read() == [b"one"]
    append(path, "two\n")
    (tmp_path / "log.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    append(path, "three\nfour\nfive\n")  # longer than it was
    assert follower.read_all() == [b"two", b"three", b"four", b"five"]
    assert not follower.gaps


def test_a_file_that_was_emptied_or_deleted_is_begun_again_and_the_gap_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    append(path, "one\ntwo\n")
    follower.read()
    os.truncate(path, 0)
    append(path, "three\n")
    assert (follower.read(), follower.gaps) == ([b"three"], 1)
    path.unlink()
    assert follower.read() == []
    append(path, "a new beginning\n")
    assert follower.read() == [b"a new beginning"]


def test_the_last_lines_come_first_and_answers_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"{number}\n" for number in range(100_000)))
    assert files.last(str(path), Limits(3)).lines == [b"99997", b"99998", b"99999"]
    found = files.last(str(path), Limits(100_000))
    assert sum(map(len, found.lines)) < ANSWER_BYTES
    assert found.lines[-1] == b"99999"
    assert int(found.lines[0]) == 100_000 - len(found.lines)
    follower = Follower(path)
    assert (len(follower.read()), follower.more) == (1000, True)
    assert len(follower.read_all()) == 99_000


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * (ANSWER_BYTES + LINE_BYTES) + b"\nend\n")
    found = Follower(path).read_all()
    assert b"".join(found[:-1]) == b"x" * (ANSWER_BYTES + LINE_BYTES)
    assert found[-1] == b"end"


def test_t53_only_ordinary_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    for name, told in (("link", "it is a link"), ("pipe", "no ordinary file"), (".", "ordinary")):
        with pytest.raises(CircusError, match=told):
            files.last(str(tmp_path / name), ALL)
    with pytest.raises(CircusError, match="absolute"):
        files.last("log", ALL)


@needs_root
@pytest.mark.parametrize(
    ("folder", "mode", "gid", "told"),
    [
        (0o700, 0o644, 0, "let it into the folder, with 'setfacl -m u:nobody:x' for example"),
        (0o755, 0o640, 4, "'adduser nobody adm' and a restart of the console let it"),
        (0o755, 0o600, 4, "'setfacl -m u:nobody:r FILE' lets it"),
        (0o755, 0o640, 0, "'setfacl -m u:nobody:r FILE' lets it"),
    ],
)
def test_a_file_that_is_not_for_the_console_says_what_to_do(
    place: Path, folder: int, mode: int, gid: int, told: str
) -> None:
    path = place / "log"
    path.touch()
    os.chown(path, 0, gid)
    path.chmod(mode)
    place.chmod(folder)
    with being(65534), pytest.raises(Denied) as denied:
        files.opened(str(path))
    who = f"{path} may not be read by nobody, as which the console runs: "
    assert str(denied.value) == who + told.replace("FILE", str(path))


@needs_root
def test_a_user_without_a_name_is_called_by_the_number(place: Path) -> None:
    (place / "log").touch(0o600)
    place.chmod(0o755)
    with being(60123), pytest.raises(Denied, match="may not be read by 60123, as which"):
        files.opened(str(place / "log"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of root's that others may reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1000.5", 1000.5),
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T00:01:00+00:01", 0.0),
        *dict.fromkeys(["-1", "nan", "inf", "1e11", "1969-12-31T23:59:59Z", "soon"]).items(),
    ],
)
def test_a_time_is_one_since_1970(text: str, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(ArgumentError, match="'since' is no time: give seconds since 1970, or"):
            moment(text)
    else:
        assert moment(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "%",
        "é",
        "A" * 5000,
        Cursor({"stdout": InFile(-1, 0, 0, 0, 0)}, None).text(),
        Cursor({"stdout": InFile(1, 2**70, 0, 0, 0)}, None).text(),
        Cursor({"stdout": (1, 2)}, None).text(),  # type: ignore[dict-item]
        Cursor({}, InJournal("a\nb", 0)).text(),
    ],
)
def test_t53_a_cursor_that_somebody_made_up_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="isn't one that was given out here"):
        cursor.read(text)


def test_a_time_is_found_by_the_stamps_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    stamps = Stamps("%Y-%m-%d %H:%M:%S")
    texts = [f"2026-01-01 {hour:02}:{minute:02}:00 [7] | x\nno stamp\n"
             for hour in range(24) for minute in range(60)]  # fmt: skip
    path.with_name("log.1").write_text("".join(texts[:700]))
    path.write_text("".join(texts[700:]))
    os.utime(tmp_path / "log.1", (0, 0))
    for number in (0, 1, 350, 699, 700, 701, 1439):
        at = stamps.of(texts[number])
        assert at is not None
        found = files.since(str(path), at, stamps, Limits(1)).lines
        assert found == [texts[number].splitlines()[0].encode()]
    assert files.since(str(path), 2e9, stamps, ALL).lines == []


def test_a_long_line_is_no_long_search(tmp_path: Path) -> None:
    path = tmp_path / "log"
    stamps = Stamps("%Y-%m-%d %H:%M:%S")
    texts = [f"2026-01-01 00:{minute:02}:00 [7] | x\n" for minute in range(60)]
    path.write_text("".join(texts[:30]) + "x" * 5 * STAMP_BYTES + "\n" + "".join(texts[30:]))
    for number in (1, 29, 30, 59):
        at = stamps.of(texts[number])
        assert at is not None
        piece = files.since(str(path), at, stamps, Limits(1))
        first = piece.lines[0].decode()
        assert set(first) == {"x"} or first <= texts[number], "nothing that is wanted is left out"


def test_of_a_line_without_end_the_last_part_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n" + b"x" * 2 * ANSWER_BYTES + b"the end")
    assert [one[-7:] for one in files.last(str(path), ALL).lines] == [b"the end"]


def test_a_line_tells_when_it_was_written_and_how_severe_it_is() -> None:
    found = line(
        "stderr", b"1970-01-02 00:00:00 [12] | [ERROR] tea\xe9", Stamps("%Y-%m-%d %H:%M:%S")
    )
    assert found.at is not None
    assert (found.text, found.severity) == ("[12] | [ERROR] tea\ufffd", "err")
    assert line("stdout", b"no [stamp", Stamps("%H:%M")).at is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("INFO: up", "info"),
        ("level=warn msg=x", "warning"),
        ("terror", None),
        ("all is well", None),
        ("FATAL", "crit"),
    ],
)
def test_words_that_programs_use_for_severity(text: str, word: str | None) -> None:
    assert severity(text) == word
