"""A circusd that starts anew again and again."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

MANY = 50


def test_what_a_life_before_has_left_is_let_go_of(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nnumprocesses = 3\n")
    live(daemon, 10)
    before = rss(daemon)
    live(daemon, MANY)
    # a life takes more than 500 KB
    assert rss(daemon) - before < MANY * 100_000


def live(daemon: Daemon, times: int) -> None:
    while times:  # it is refused while the one before is under way
        times -= daemon.call("restart")["status"] == "ok"


def rss(daemon: Daemon) -> int:
    """Bytes of memory that it has."""
    pages = Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()
