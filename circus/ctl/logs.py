"""Show the output of workers that is in files, or in the journal, and go on showing it.

New output in files is looked for a few times a second: that works on every file system, costs
nothing worth measuring in a program that a person runs, and ends at once when nobody reads any
more.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from circus import wire
from circus.commands.look import Logs
from circus.ctl import journal
from circus.ctl.output import complain, say
from circus.ctl.printer import BLOCK_BYTES, LINES, Printer
from circus.exc import CallError, CircusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.client import CircusClient

POLL_MS = 200


def show_logs(
    client: CircusClient,
    *,
    name: str,
    follow: bool,
    lines: int | None = None,
    since: str | None = None,
    as_json: bool = False,
) -> int:
    """Print the last lines of a watcher. The exit status."""
    answer = client.send_message("options", name=name)
    reason = wire.reason(answer)
    if reason is not None:
        if as_json:
            say(json.dumps(answer))
        else:
            complain(f"error: {reason}")
        return Logs.refused_status
    paths = log_files(answer["options"])
    if paths and since is not None:
        raise CallError(f"cannot look for a time: {name} writes to a file, not to the journal")
    wanted = [] if paths else _in_journal(client, name, answer["options"])
    if as_json:
        say(json.dumps({"status": "ok", **({"files": paths} if paths else {"journal": wanted})}))
        return 0
    if not paths:
        return journal.show(wanted, lines=lines, since=since, follow=follow)
    return _show_files(paths, LINES if lines is None else lines, follow=follow)


def _show_files(paths: Sequence[str], lines: int, *, follow: bool) -> int:
    tails = [Tail(path) for path in paths]
    for tail in tails:
        tail.start(lines)
    printer = Printer(with_names=len(tails) > 1)
    try:
        _print_all(tails, printer)
        if follow:
            _follow(tails, printer)
    finally:
        for tail in tails:
            tail.close()
    return 0


def _in_journal(client: CircusClient, name: str, options: dict[str, Any]) -> list[str]:
    """What to look for there. Raises CallError when there cannot be, or is not, anything."""
    names = client.send_message("status")["statuses"]  # as they are written in the configuration
    name = next((one for one in names if one.lower() == name.lower()), name)
    wanted = journal.search(name, options)
    classes = [options.get(f"{stream}_stream.class") for stream in journal.STREAMS]
    if wanted and (any(map(journal.is_journal, classes)) or journal.has_any(wanted)):
        return wanted
    raise CallError(
        f"{name} has no file: neither stdout_stream nor stderr_stream writes one, and the journal "
        "has nothing of it"
    )


def log_files(options: dict[str, Any]) -> list[str]:
    """The files that a watcher's options name, each once."""
    found = []
    for stream in ("stdout_stream", "stderr_stream"):
        conf = options.get(f"{stream}_conf") or {}
        found.append(options.get(f"{stream}.filename") or conf.get("filename"))
    return list(dict.fromkeys(str(path) for path in found if path))


def _print_all(tails: Sequence[Tail], printer: Printer) -> None:
    for tail in tails:
        while data := tail.read():
            printer.write(tail.path, data)
    sys.stdout.flush()


def _follow(tails: Sequence[Tail], printer: Printer) -> None:
    reader_left = select.poll()
    reader_left.register(sys.stdout.fileno(), 0)  # tells of an error or the other end's going
    while not reader_left.poll(POLL_MS):
        _print_all(tails, printer)


class Tail:
    """Reads on at the end of a file, also when another one has taken its name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def start(self, lines: int) -> None:
        """Go to the last `lines` lines. Raises CircusError when the file cannot be read."""
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 stays open
            self._file.seek(_start_of_last(self._file, lines))
        except FileNotFoundError:
            return  # nothing was written yet
        except OSError as error:
            raise CircusError(f"cannot read {self.path}: {error.strerror}") from error

    def read(self) -> bytes:
        """Some of what is new, empty when there is none."""
        if self._file is None and not self._open_next():
            return b""
        data = self._read_some()
        if data or not self._open_next():
            return data
        return self._read_some()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _read_some(self) -> bytes:
        file = self._file
        if file is None:
            return b""
        if os.fstat(file.fileno()).st_size < file.tell():  # it was cut short: begin again
            file.seek(0)
        return file.read(BLOCK_BYTES)

    def _open_next(self) -> bool:
        """Whether another file has the name now."""
        try:
            if self._file and os.path.samestat(os.stat(self.path), os.fstat(self._file.fileno())):
                return False
            following = open(self.path, "rb")  # noqa: SIM115 stays open
        except OSError:
            return False
        if self._file is not None:
            self._file.close()
        self._file = following
        return True


def _start_of_last(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` lines begin, found from the end so that size does not matter."""
    end = position = file.seek(0, os.SEEK_END)
    if not lines:
        return end
    while position > 0:
        size = min(BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if position + at == end - 1:
                continue  # the last line's own end
            lines -= 1
            if not lines:
                return position + at + 1
    return 0
