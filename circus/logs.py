"""Where the daemon's own log goes.

What only some logs need is imported with them: circusd has to stay small.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
import threading
import time
from collections import deque
from pathlib import Path

from circus.exc import CircusError
from circus.host import journal
from circus.host.unblocked import unblocked, writer

FORMAT = "%(asctime)s %(name)s[%(process)d] [%(levelname)s] %(message)s"
DATES = "%Y-%m-%d %H:%M:%S"
SYSLOG_DATES = "%b %d %H:%M:%S"
LEVELS = {
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)

KEPT_MAX = 10_000
"""Lines that wait while nobody reads our standard error; further ones are counted only."""


LAST_WAIT = 2.0
"""Seconds that the last lines may take to be read."""


class StandardError(logging.Handler):
    """Writes to standard error, and keeps what it does not take: a terminal that is stopped, or a
    reader who has gone to sleep, must not stop us. What is kept goes out with the next line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._fd = unblocked(sys.stderr.fileno())
        self._write = writer(self._fd)
        self._kept: deque[memoryview] = deque()
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or keep it."""
        if len(self._kept) >= KEPT_MAX:
            self._dropped += 1
        else:
            self._keep(self.format(record))
        self.flush()

    def flush(self) -> None:
        """Write what is kept, as far as that can be done at once."""
        try:
            while self._kept:
                rest = self._kept[0][self._write(self._kept[0]) :]
                if rest:
                    self._kept[0] = rest
                    continue
                self._kept.popleft()
                if self._dropped and not self._kept:
                    dropped, self._dropped = self._dropped, 0
                    self._keep(f"({dropped} lines could not be written here)")
        except BlockingIOError:
            return
        except OSError:  # it is gone, and there is nowhere to say so
            self._kept.clear()

    def close(self) -> None:
        """Let go of our descriptor; waits up to LAST_WAIT seconds for what is kept to be read."""
        if self._fd >= 0:
            self.flush()
            until = time.monotonic() + LAST_WAIT
            while self._kept and (left := until - time.monotonic()) > 0:
                select.select((), (self._fd,), (), left)
                self.flush()
            os.close(self._fd)
            self._fd = -1
        super().close()

    def _keep(self, line: str) -> None:
        self._kept.append(memoryview(f"{line}\n".encode(errors="backslashreplace")))


class ToJournal(logging.Handler):
    """Sends records with fields to the journal, which our standard error leads to too.

    What it has no room for waits in its order, KEPT_MAX records at most, and a thread lives as long
    as one does. What it cannot be given at all goes to standard error, as a line that begins with
    its priority.
    """

    def __init__(self, folder: str = journal.FOLDER) -> None:
        self._otherwise = StandardError()
        self._otherwise.setFormatter(_WithPriority())
        super().__init__()  # made later, so closed earlier
        self._journal = journal.Journal(folder)
        self._kept: deque[tuple[list[bytes], logging.LogRecord]] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._text = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record. Never waits."""
        fields = {
            "MESSAGE": self._text.format(record),
            "PRIORITY": priority_of(record.levelno),
            "SYSLOG_IDENTIFIER": "circusd",
            "CODE_FILE": record.pathname,
            "CODE_LINE": record.lineno,
            "CODE_FUNC": record.funcName,
            "CIRCUS_WATCHER": getattr(record, "watcher", None),
            **getattr(record, "fields", {}),
        }
        data = [
            journal.field(name, str(value).encode(errors="backslashreplace"))
            for name, value in fields.items()
            if value is not None
        ]
        if len(self._kept) >= KEPT_MAX:
            self._otherwise.emit(record)
            return
        self._kept.append((data, record))
        if self._thread is None and not self._send_kept():
            self._thread = threading.Thread(target=self._offer_again, name="log", daemon=True)
            self._thread.start()

    def _send_kept(self) -> bool:
        """Send what is kept. Whether nothing is left."""
        while self._kept:
            data, record = self._kept[0]
            try:
                self._journal.send(data)
            except BlockingIOError:
                return False
            except OSError:
                self._otherwise.emit(record)
            self._kept.popleft()
        return True

    def _offer_again(self) -> None:
        """In the thread."""
        while True:
            self.acquire()
            try:
                if self._closed or self._send_kept():
                    self._thread = None
                    return
                fd = self._journal.fileno()
            finally:
                self.release()
            _wait_for_room(fd, LAST_WAIT)

    def close(self) -> None:
        """Let go of our descriptors; waits up to LAST_WAIT seconds for what is kept to be taken."""
        self.acquire()
        try:
            until = time.monotonic() + LAST_WAIT
            while not self._send_kept() and (left := until - time.monotonic()) > 0:
                _wait_for_room(self._journal.fileno(), left)
            for _data, record in self._kept:
                self._otherwise.emit(record)
            self._kept.clear()
            self._closed = True
            self._journal.close()
        finally:
            self.release()
        self._otherwise.close()
        super().close()


def _wait_for_room(fd: int, seconds: float) -> None:
    room = select.poll()
    room.register(fd, select.POLLOUT)
    room.poll(1000 * seconds)


class _WithPriority(logging.Formatter):
    """The journal has the time and our name anyway."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{priority_of(record.levelno)}>"
        return "\n".join(mark + line for line in super().format(record).splitlines())


def priority_of(level: int) -> int:
    """A level as syslog counts."""
    return next(number for least, number in PRIORITIES if level >= least)


def about(watcher: str, **fields: object) -> dict[str, object]:
    """For `extra`: whom a record is about, and what else it has as fields in the journal."""
    return {"watcher": watcher, "fields": fields}


class _OneName(logging.Formatter):
    """Every line is the daemon's, whichever of its modules wrote it."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith("circus."):
            record.name = "circus"
        return super().format(record)


class _Complaint:
    """Tells on standard error that the log cannot be written, each time for another reason."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._told = ""

    def __call__(self, _record: logging.LogRecord) -> None:
        reason = str(sys.exc_info()[1])
        if reason != self._told:
            self._told = reason
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"circusd: cannot log to {self._output!r}: {reason}\n")


def configure(level: str, output: str, loggerconfig: str | None) -> None:
    """Replace the root logger's handlers. Raises CircusError.

    `output` is `-` (standard error, or the journal when that leads there), a file (opened anew
    after it was moved away), or `syslog://host[:port][?facility]`, `syslog:///path[?facility]`.
    """
    if loggerconfig and loggerconfig.lower() != "default":
        _from_file(loggerconfig)
        return
    dates = SYSLOG_DATES if output.startswith("syslog://") else DATES
    try:
        handler = _handler(output)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CircusError(f"cannot log to {output!r}: {reason}") from error
    handler.setFormatter(_OneName(FORMAT, dates))
    # its own prints a traceback, each time
    handler.handleError = _Complaint(output)  # type: ignore[assignment,method-assign]
    root = logging.getLogger()
    for previous in root.handlers[:]:
        root.removeHandler(previous)
        with contextlib.suppress(OSError):  # what it still held cannot be written
            previous.close()
    root.addHandler(handler)
    set_level(level)


def set_level(level: str) -> None:
    """How much is written from now on."""
    logging.getLogger().setLevel(LEVELS.get(level.lower(), logging.INFO))


def leave_standard_error() -> None:
    """What goes there is for nobody from now on."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, StandardError):
            root.removeHandler(handler)
            handler.close()


def reopen() -> None:
    """Open log files anew, after they were moved away."""
    for handler in logging.getLogger().handlers:
        if hasattr(handler, "reopenIfNeeded"):
            handler.reopenIfNeeded()


def complain(text: str, level: int = logging.ERROR) -> None:
    """Tell on standard error what ends us, or would; there need be no log for that."""
    mark = f"<{priority_of(level)}>" if _in_journal() else ""
    sys.stderr.writelines(f"{mark}{line}\n" for line in text.splitlines())


def _in_journal() -> bool:
    """Whether our standard error leads there."""
    return journal.leads_to_journal(sys.stderr.fileno(), os.environ.get("JOURNAL_STREAM"))


def _handler(output: str) -> logging.Handler:
    if output in ("-", "stdout"):
        return ToJournal() if _in_journal() else StandardError()
    import logging.handlers
    from urllib.parse import urlsplit

    if not output.startswith("syslog://"):
        return logging.handlers.WatchedFileHandler(output, encoding="utf-8")
    parts = urlsplit(output)
    facilities = logging.handlers.SysLogHandler.facility_names
    facility = facilities.get(parts.query, facilities["user"])
    address = (parts.hostname, parts.port or 514) if parts.hostname else parts.path
    return logging.handlers.SysLogHandler(address, facility)


def _from_file(name: str) -> None:
    import logging.config

    path = Path(name)
    try:
        if path.suffix.lower() == ".ini":
            logging.config.fileConfig(name, disable_existing_loggers=False)
            return
        # ours exist already, and are to be heard
        logging.config.dictConfig({"disable_existing_loggers": False, **_mapping(path)})
    except CircusError:
        raise
    except Exception as error:
        raise CircusError(f"cannot use loggerconfig {name!r}: {error}") from error


def _mapping(path: Path) -> dict[str, object]:
    import json

    suffix = path.suffix.lower()
    text = path.read_text(encoding="utf-8")
    if suffix == ".json":
        found: dict[str, object] = json.loads(text)
        return found
    if suffix == ".yaml":
        try:
            import yaml  # type: ignore[import-untyped,unused-ignore]
        except ImportError:
            raise CircusError(f"cannot read {str(path)!r}: PyYAML is not installed") from None
        loaded: dict[str, object] = yaml.safe_load(text)
        return loaded
    raise CircusError(f"cannot use loggerconfig {str(path)!r}: not .ini, .json or .yaml")
