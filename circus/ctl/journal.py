"""Show what the journal has of a watcher, as journalctl finds it for whoever asks."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from circus.ctl.printer import BLOCK_BYTES, LINES, Printer
from circus.exc import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STREAMS = ("stdout", "stderr")
NAMESPACE = "/run/systemd/journal."


def search(name: str, options: Mapping[str, object]) -> list[str]:
    """What journalctl is to look for; empty when each stream of the watcher goes elsewhere."""
    found: list[str] = []
    folder = ""
    for stream in STREAMS:
        prefix = f"{stream}_stream."
        conf = {
            key.removeprefix(prefix): str(value)
            for key, value in options.items()
            if key.startswith(prefix)
        }
        if conf and not is_journal(conf.get("class")):
            continue
        found += ["+", f"CIRCUS_WATCHER={name}", f"CIRCUS_STREAM={stream}"]
        if conf.get("mode") == "direct":
            identifier = conf.get("identifier") or name
            found += ["+", f"SYSLOG_IDENTIFIER={identifier}", "_TRANSPORT=stdout"]
        folder = conf.get("folder", folder)
    if found and folder.startswith(NAMESPACE):
        found.append(f"--namespace={folder.removeprefix(NAMESPACE)}")
    return found[1:]


def is_journal(name: object) -> bool:
    """Whether a stream's class leads to the journal."""
    return str(name).removeprefix("circus.stream.") == "JournalStream"


def has_any(wanted: Sequence[str]) -> bool:
    """Whether there is a record that is looked for, and a journal at all."""
    try:
        with journalctl([*wanted, "--lines=1"]) as program:
            return bool(output(program).read())
    except CallError:
        return False


def last(lines: int | None, since: str | None) -> list[str]:
    """How journalctl is asked for so many of the last records, of all or of those since a time."""
    most = "all" if since is not None else LINES
    how = [f"--lines={most if lines is None else lines}"]
    return how if since is None else [*how, f"--since={since}"]


def show(wanted: Sequence[str], *, lines: int | None, since: str | None, follow: bool) -> int:
    """Print the text of the last records, or of all since a time. The exit status.

    Raises CallError.
    """
    how = ["--follow"] if follow else []
    with journalctl([*wanted, *last(lines, since), *how]) as program:
        try:
            if _pass_on(output(program)):
                return program.wait()
        finally:
            program.terminate()
    return 0


def journalctl(arguments: Sequence[str], form: str = "cat") -> subprocess.Popen[bytes]:
    """The program, for whoever reads its standard output. Raises CallError."""
    command = ["journalctl", "--quiet", "--no-pager", f"--output={form}", *arguments]
    plain = {**os.environ, "SYSTEMD_COLORS": "0"}
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=plain)
    except OSError as error:
        raise CallError(f"cannot look into the journal: journalctl: {error.strerror}") from error


def output(program: subprocess.Popen[bytes]) -> IO[bytes]:
    """What it writes."""
    assert program.stdout is not None  # noqa: S101 a pipe was asked for
    return program.stdout


def _pass_on(written: IO[bytes]) -> bool:
    """Print what comes. False when nobody reads it any more."""
    printer = Printer(with_names=False)
    ready = select.poll()
    ready.register(written.fileno(), select.POLLIN)
    ready.register(sys.stdout.fileno(), 0)  # tells of an error or the other end's going
    while True:
        if any(fd != written.fileno() for fd, _ in ready.poll()):
            return False
        data = os.read(written.fileno(), BLOCK_BYTES)
        if not data:
            return True
        printer.write("", data)
        sys.stdout.flush()
