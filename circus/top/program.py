"""`circus-top`: reads its command line; a session at a terminal, or tables for a file."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import math
import os
import queue
import sys
import time
from typing import TYPE_CHECKING, Any

from circus import __version__
from circus.ctl import exits
from circus.ctl.arguments import seconds
from circus.ctl.output import columns, complain, say
from circus.exc import CallError
from circus.picture.connection import Where
from circus.picture.gather import BELIEVED
from circus.reach import Reach
from circus.standard import open_what_is_closed
from circus.top.feed import Feed
from circus.top.screen import Size, plain_lines
from circus.top.state import State, arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from circus.picture.model import Snapshot
    from circus.top.feed import News

PATIENCE = 10.0
"""Seconds in which there has to be something to show, when nobody looks on."""
ALMOST_A_SECOND = 0.9
WIDE = 10_000
"""Columns that nothing is wider than."""


def main(argv: Sequence[str] | None = None) -> int:
    """Show until somebody ends it. Returns the exit status."""
    open_what_is_closed()
    args = _read(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    count = 1 if args.once else args.batch
    try:
        return _session(args) if count is None else _batch(args, count)
    except CallError as error:
        complain(f"circus-top: {error}")
        return exits.FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    except KeyboardInterrupt:
        return exits.FAILED


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circus-top", description="Watch what circusd runs.")
    found.add_argument("--endpoint", help="where statistics are published; asked of circusd")
    found.add_argument("--control", help="circusd's control endpoint; found as circusctl does")
    found.add_argument("--ssh", help="user@host[:port] that has them")
    found.add_argument("--ssh_keyfile", metavar="FILE", help="the key for that")
    found.add_argument("--curve", metavar="FILE", help="your key for a tcp:// endpoint")
    found.add_argument(
        "--process-timeout", type=seconds, default=BELIEVED, metavar="SECONDS",
        help="show a process so long after its last sample (default: %(default)g)",
    )  # fmt: skip
    found.add_argument("--readonly", action="store_true", help="have no keys that change anything")
    found.add_argument("--once", action="store_true", help="print one table and end")
    found.add_argument(
        "--batch", type=_count, metavar="N", help="print N tables, a second apart, and end"
    )
    found.add_argument("--json", action="store_true", help="a line of JSON instead of each table")
    found.add_argument("--version", action="version", version=__version__)
    return found


def _read(argv: Sequence[str] | None) -> argparse.Namespace:
    options = parser()
    args = options.parse_args(argv)
    if args.json and not (args.once or args.batch):
        options.error("--json goes with --once or --batch")
    return args


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tables above 0")
    return int(text)


def _session(args: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _cannot("this is not a terminal")
    from circus.top.shell import Shell, unfit  # curses, which not every Python has

    obstacle = unfit()
    if obstacle is not None:
        return _cannot(obstacle)
    shell = Shell(State(readonly=args.readonly), color=not os.environ.get("NO_COLOR"))
    with _fed(args, shell.wake) as feed:
        return shell.run(feed)


def _cannot(why: str) -> int:
    complain(f"circus-top: {why}; --once or --batch N prints what there is")
    return exits.USAGE


@contextlib.contextmanager
def _fed(args: argparse.Namespace, tell: Callable[[], None]) -> Iterator[Feed]:
    reach = Reach(args.ssh, args.ssh_keyfile, args.curve)
    reach.ask_now()  # before there is a screen that it would write into
    feed = Feed(Where(args.control, args.endpoint), reach, args.process_timeout, tell)
    feed.start()
    try:
        yield feed
    finally:
        feed.close()
        reach.close()


# -- without a terminal ------------------------------------------------


def _batch(args: argparse.Namespace, count: int) -> int:
    with _fed(args, lambda: None) as feed:
        for number, snapshot in enumerate(itertools.islice(snapshots(feed.news), count)):
            say(_json(snapshot) if args.json else ("\n" if number else "") + _table(snapshot))
            sys.stdout.flush()
    return 0


def snapshots(found: queue.SimpleQueue[News], patience: float = PATIENCE) -> Iterator[Snapshot]:
    """One a second, each with a number for every process. Raises CallError when there are none.

    `patience`: seconds in which there has to be one.
    """
    last = -math.inf
    until = time.monotonic() + patience
    while True:
        try:
            news = found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise CallError("nothing has come to be shown") from None
        if news.snapshot is None:
            raise CallError(news.source)
        if not _is_whole(news.snapshot) or time.monotonic() - last < ALMOST_A_SECOND:
            continue
        last = time.monotonic()
        until = last + patience
        yield news.snapshot


def _is_whole(snapshot: Snapshot) -> bool:
    processes = [one for watcher in snapshot.watchers for one in watcher.processes]
    return all(one.cpu is not None for one in processes)


def _table(snapshot: Snapshot) -> str:
    # a file and a pipe are as wide as it takes, unless somebody says how wide
    wide = not (sys.stdout.isatty() or os.environ.get("COLUMNS"))
    size = Size(WIDE if wide else columns(os.environ), 0)
    return "\n".join(plain_lines(arrived(State(), snapshot), size))


def _json(snapshot: Snapshot) -> str:
    return json.dumps({"time": round(time.time(), 3), **_mapping(snapshot)})


def _mapping(value: object) -> Any:
    """What JSON has names for, named."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: _mapping(item) for key, item in value._asdict().items()}
    return [_mapping(item) for item in value] if isinstance(value, tuple) else value
