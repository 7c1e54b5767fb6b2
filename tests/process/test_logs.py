"""Where the daemon's log goes: files, syslog, and what happens when it cannot go there."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus import logs
from circus.exc import CircusError
from circus.pidfile import Pidfile

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        with contextlib.suppress(OSError):
            handler.close()
    root.handlers[:], root.level = handlers, level


logs_logger = logging.getLogger("circus.somewhere")


def say(text: str) -> None:
    logs_logger.info("%s", text)


def test_a_file_gets_the_line_that_people_know_also_after_it_was_moved(folder: Path) -> None:
    file = folder / "log"
    logs.configure("INFO", str(file), None)
    say("hello")
    line = file.read_text()
    assert line.endswith(" [INFO] hello\n")
    assert " circus[" in line
    file.rename(folder / "old")
    logs.reopen()
    assert file.read_text() == ""
    say("again")
    assert file.read_text().endswith("again\n")


@pytest.mark.parametrize(
    ("query", "facility"), [("", 1), ("?daemon", 3), ("?local3", 19), ("?nope", 1)]
)
def test_syslog(folder: Path, query: str, facility: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(20)
        listening.bind(str(folder / "dev-log"))
        logs.configure("info", f"syslog://{folder}/dev-log{query}", None)
        say("hello")
        message = listening.recv(4096).decode().rstrip("\0")
    assert message.startswith(f"<{facility * 8 + 6}>")
    assert message.endswith(" [INFO] hello")


def test_syslog_over_the_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.settimeout(20)
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        logs.configure("info", f"syslog://127.0.0.1:{port}?local0", None)
        say("hello")
        assert listening.recv(4096).startswith(b"<134>")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("/nowhere/log", "No such file or directory"),
        ("/tmp", "Is a directory"),
        ("syslog://localhost:many", "Port could not be cast"),
    ],
)
def test_a_log_that_cannot_be_opened_is_told_in_a_sentence(output: str, reason: str) -> None:
    with pytest.raises(CircusError, match=f"cannot log to '{output}': .*{reason}"):
        logs.configure("info", output, None)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("/dev/full", "[Errno 28] No space left on device"),
        ("syslog:///nowhere/log", "[Errno 2] No such file or directory"),
    ],
)
def test_a_log_that_cannot_be_written_is_told_once(
    capsys: pytest.CaptureFixture[str], output: str, reason: str
) -> None:
    logs.configure("info", output, None)
    for _ in range(3):
        say("hello")
    assert capsys.readouterr().err == f"circusd: cannot log to {output!r}: {reason}\n"
    logs.configure("info", "/dev/null", None)


def test_a_configuration_of_logging(folder: Path) -> None:
    (folder / "log.json").write_text('{"version": 1, "root": {"level": "DEBUG"}}')
    logs.configure("error", "-", str(folder / "log.json"))
    assert logging.getLogger().level == logging.DEBUG
    assert not logs_logger.disabled
    (folder / "log.txt").write_text("")
    for name, reason in (("log.txt", "not .ini, .json or .yaml"), ("none.json", "No such file")):
        with pytest.raises(CircusError, match=reason):
            logs.configure("error", "-", str(folder / name))


# -- the pid file -------------------------------------------------------------------------------


def test_a_pid_file_is_ours_until_it_is_not(folder: Path) -> None:
    pidfile = Pidfile(str(folder / "pid"))
    pidfile.create(1234)
    assert (folder / "pid").read_text() == "1234\n"
    assert (folder / "pid").stat().st_mode & 0o777 == 0o644
    pidfile.rename(str(folder / "other"))
    assert not (folder / "pid").exists()
    assert (folder / "other").read_text() == "1234\n"
    (folder / "other").write_text("1\n")
    pidfile.unlink()
    assert (folder / "other").exists()
    (folder / "other").write_text("nonsense")
    pidfile.unlink()
    assert not (folder / "other").exists()


def test_a_pid_file_without_a_name() -> None:
    pidfile = Pidfile()
    assert pidfile.validate() is None
    pidfile.unlink()
    pidfile.create(1234)
    assert pidfile.fname is not None
    assert Path(pidfile.fname).read_text() == "1234\n"
    pidfile.unlink()
    assert not Path(pidfile.fname).exists()


def test_a_pid_file_that_is_not_there_yet(folder: Path) -> None:
    pidfile = Pidfile(str(folder / "pid"))
    assert pidfile.validate() is None
    pidfile.rename(str(folder / "other"))
    assert list(folder.iterdir()) == []
    pidfile.create(1234)
    assert (folder / "other").read_text() == "1234\n"
    pidfile.unlink()


def test_whose_pid_file_it_is(folder: Path) -> None:
    file = folder / "pid"
    pidfile = Pidfile(str(file))
    for text in ("", "x", "-1", "0", str(2**40)):
        file.write_text(text)
        assert pidfile.validate() is None, text
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        file.write_text(f"{other.pid}\n")
        assert pidfile.validate() == other.pid
        with pytest.raises(CircusError, match=f"it belongs to the running process {other.pid}"):
            pidfile.create(1234)
        pidfile.create(other.pid)
        pidfile.unlink()
        file.write_text(f"{other.pid}\n")
        other.kill()
    assert pidfile.validate() is None


def test_t56_a_number_that_another_process_has_by_now_means_nothing(folder: Path) -> None:
    file = folder / "pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        file.write_text(f"{other.pid}\n")
        os.utime(file, (0, 0))  # as after a reboot: the file is older than the process
        pidfile = Pidfile(str(file))
        assert pidfile.validate() is None
        pidfile.create(1234)
        assert file.read_text() == "1234\n"
        other.kill()


def test_t56_a_pid_file_in_use_is_told_by_its_lock_not_by_its_age(folder: Path) -> None:
    file = folder / "pid"
    held = Pidfile(str(file))
    held.create(os.getpid())
    os.utime(file, (0, 0))  # as when the clock has been set since
    assert Pidfile(str(file)).validate() == os.getpid()
    with pytest.raises(CircusError, match=f"it belongs to the running process {os.getpid()}"):
        Pidfile(str(file)).create(1234)
    held.create(os.getpid())  # what is ours stays ours
    assert file.read_text() == f"{os.getpid()}\n"
    held.unlink()
    assert not file.exists()


@pytest.mark.parametrize("path", ["/dev/null", "/tmp", "/nowhere/pid"])
def test_a_pid_file_is_a_file(path: str) -> None:
    with pytest.raises(CircusError, match=f"cannot write pid file '{path}': "):
        Pidfile(path).create(1234)
    assert os.path.exists("/dev/null")
