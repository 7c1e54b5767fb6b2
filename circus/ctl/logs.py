"""Show the output of workers that is in files, or in the journal, and go on showing it.

New output in files is looked for a few times a second: that works on every file system, costs
nothing worth measuring in a program that a person runs, and ends at once when nobody reads any
more.
"""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING, Any

from circus import wire
from circus.commands.look import Logs
from circus.ctl import journal
from circus.ctl.both import show_both
from circus.ctl.output import complain
from circus.ctl.present import readable, say_json
from circus.ctl.printer import LINES, Printer
from circus.ctl.tail import POLL_MS, Tail, print_all
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from circus.client import CircusClient


def show_logs(
    client: CircusClient,
    options: argparse.Namespace,
    *,
    name: str,
    follow: bool,
    lines: int | None = None,
    since: str | None = None,
) -> int:
    """Print the last lines of a watcher. The exit status."""
    answer = client.send_message("options", name=name)
    reason = wire.reason(answer)
    if reason is not None:
        if options.json:
            say_json(answer, options)
        else:
            complain(f"error: {reason}")
        return Logs.refused_status
    with readable():
        watched = answer["options"]
        name = as_written(client.send_message("status")["statuses"], name)
    paths = list(log_files(watched))
    wanted = in_journal(name, watched)
    if not paths and not wanted:
        raise CallError(
            f"{name} has no file: neither stdout_stream nor stderr_stream writes one, and the "
            "journal has nothing of it"
        )
    if not wanted and since is not None:
        raise CallError(f"cannot look for a time: {name} writes to a file, not to the journal")
    if options.json:
        places = {"files": paths, "journal": wanted}
        say_json({"status": "ok", **{key: one for key, one in places.items() if one}}, options)
        return 0
    if not paths:
        return journal.show(wanted, lines=lines, since=since, follow=follow)
    if wanted:
        return show_both(paths, wanted, lines=lines, since=since, follow=follow)
    return _show_files(paths, LINES if lines is None else lines, follow=follow)


def _show_files(paths: Sequence[str], lines: int, *, follow: bool) -> int:
    tails = [Tail(path) for path in paths]
    for tail in tails:
        tail.start(lines)
    printer = Printer(with_names=len(tails) > 1)
    try:
        print_all(tails, printer)
        if follow:
            _follow(tails, printer)
    finally:
        for tail in tails:
            tail.close()
    return 0


def as_written(names: Iterable[str], name: str) -> str:
    """A watcher's name as it is in the configuration, of all of them, and in the journal."""
    return next((one for one in names if one.lower() == name.lower()), name)


def in_journal(name: str, options: dict[str, Any]) -> list[str]:
    """What to look for there; empty when there cannot be, or is not, anything."""
    wanted = journal.search(name, options)
    classes = [options.get(f"{stream}_stream.class") for stream in journal.STREAMS]
    if wanted and (any(map(journal.is_journal, classes)) or journal.has_any(wanted)):
        return wanted
    return []


def log_files(options: Mapping[str, Any]) -> dict[str, list[str]]:
    """The files that a watcher's options name, and which of its streams lead there."""
    found: dict[str, list[str]] = {}
    for stream in journal.STREAMS:
        path = stream_option(options, stream, "filename")
        if path:
            found.setdefault(str(path), []).append(stream)
    return found


def stream_option(options: Mapping[str, Any], stream: str, key: str) -> Any:
    """One option of a stream; circus 0.19 has them all in one."""
    conf = options.get(f"{stream}_stream_conf") or {}
    return options.get(f"{stream}_stream.{key}") or conf.get(key)


def _follow(tails: Sequence[Tail], printer: Printer) -> None:
    reader_left = select.poll()
    reader_left.register(sys.stdout.fileno(), 0)  # tells of an error or the other end's going
    while not reader_left.poll(POLL_MS):
        print_all(tails, printer)
