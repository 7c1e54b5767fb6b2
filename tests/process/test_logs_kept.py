"""What the daemon logs while whoever is to have it does not take it: the journal, or a reader."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus import logs
from tests.journald import FakeJournald

if TYPE_CHECKING:
    from collections.abc import Iterator

logs_logger = logging.getLogger("circus.somewhere")


@pytest.fixture
def fake(folder: Path) -> Iterator[FakeJournald]:
    one = FakeJournald(folder)
    yield one
    with contextlib.suppress(FileNotFoundError):
        one.close()


def test_in_the_journal_a_record_has_fields(fake: FakeJournald) -> None:
    handler = logs.ToJournal(str(fake.folder))
    logging.getLogger().addHandler(handler)
    logs_logger.warning("%s\nof two", "text", extra=logs.about("web"))
    entry = fake.read()
    line = int(entry.fields.pop("CODE_LINE")[0])
    assert "extra=logs.about" in Path(__file__).read_text().splitlines()[line - 1]
    assert entry.fields == {
        "MESSAGE": [b"text\nof two"],
        "PRIORITY": [b"4"],
        "SYSLOG_IDENTIFIER": [b"circusd"],
        "CODE_FILE": [__file__.encode()],
        "CODE_FUNC": [b"test_in_the_journal_a_record_has_fields"],
        "CIRCUS_WATCHER": [b"web"],
    }
    try:
        raise KeyError("why")
    except KeyError:
        logs_logger.critical("failed", exc_info=True)
    entry = fake.read()
    assert entry["MESSAGE"].startswith(b"failed\nTraceback")
    assert entry["PRIORITY"] == b"2"
    assert "CIRCUS_WATCHER" not in entry.fields


PROGRAM = """
import logging, sys
from circus import logs
logging.getLogger().addHandler(logs.ToJournal(sys.argv[1]))
for number in range(int(sys.argv[2])):
    logging.error("%d\\nsame", number)
print("logged", flush=True)
input()
"""


@contextlib.contextmanager
def logging_to(text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program, as long as the test lasts."""
    program = subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield program
    program.kill()
    program.communicate()


@pytest.fixture
def logging_program(fake: FakeJournald) -> Iterator[subprocess.Popen[str]]:
    """It has logged 2000 messages, and ends once it is told to."""
    with logging_to(PROGRAM, str(fake.folder), "2000") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "logged\n"
        yield program


def test_what_the_journal_has_no_room_for_waits_for_it(
    logging_program: subprocess.Popen[str], fake: FakeJournald
) -> None:
    found = [fake.read()["MESSAGE"] for _ in range(2000)]
    assert found == [b"%d\nsame" % number for number in range(2000)]
    assert logging_program.communicate("\n", timeout=20) == ("", "")


def test_what_the_journal_does_not_take_goes_to_standard_error(
    logging_program: subprocess.Popen[str], fake: FakeJournald
) -> None:
    assert fake.read()["MESSAGE"] == b"0\nsame"
    fake.close()
    _, said = logging_program.communicate("\n", timeout=20)
    lines = said.splitlines()
    assert lines
    # what was on its way when it was closed is gone
    assert lines == [
        line for n in range(2000 - len(lines) // 2, 2000) for line in (f"<3>{n}", "<3>same")
    ]


def test_what_there_is_no_room_to_keep_and_what_is_left_at_the_end_goes_to_standard_error(
    fake: FakeJournald,
) -> None:
    count = logs.KEPT_MAX + 500
    with logging_to(PROGRAM, str(fake.folder), str(count)) as program:
        _, said = program.communicate("\n", timeout=60)
    told = [int(entry["MESSAGE"].split()[0]) for entry in fake.read_all()]
    lines = said.splitlines()
    assert lines[1::2] == ["<3>same"] * (len(lines) // 2)
    otherwise = [int(line.removeprefix("<3>")) for line in lines[::2]]
    assert told == list(range(len(told)))
    # first those that were too many, then those that nobody had read
    over = count - logs.KEPT_MAX - len(told)
    assert otherwise == [*range(count - over, count), *range(len(told), count - over)]


TO_STANDARD_ERROR = """
import logging, sys
from circus import logs
logging.getLogger().addHandler(logs.StandardError())
for number in range(int(sys.argv[1])):
    logging.error("%d %s", number, "x" * 100)
print("logged", flush=True)
"""


def test_a_reader_who_comes_late_is_told_how_much_is_missing() -> None:
    count = logs.KEPT_MAX + 3000
    with logging_to(TO_STANDARD_ERROR, str(count)) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "logged\n"
        _, said = program.communicate(timeout=60)  # it waits for us at its end
    *lines, last = said.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    assert len(lines) > logs.KEPT_MAX
    assert last == f"({count - len(lines)} lines could not be written here)"
