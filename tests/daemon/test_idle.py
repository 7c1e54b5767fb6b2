"""A circusd that has nothing to do does nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import only_if, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

WAITS = {
    "x86_64": {"epoll_wait": 232, "epoll_pwait": 281, "futex": 202},
    "aarch64": {"epoll_pwait": 22, "futex": 98},
}
"""The numbers of what a thread waits in; for each, the fourth argument says how long."""
FOR_EVER = {"epoll_wait": 0xFFFFFFFF, "epoll_pwait": 0xFFFFFFFF, "futex": 0}
MACHINE = os.uname().machine


def waits_for_ever(task: Path) -> bool:
    """Whether a thread waits for something to happen, and not for a time to pass."""
    call, *arguments = (task / "syscall").read_text().split()
    if call == "running":
        return False
    known = {str(number): FOR_EVER[name] for name, number in WAITS[MACHINE].items()}
    return call in known and int(arguments[3], 16) & 0xFFFFFFFF == known[call]


@only_if(MACHINE in WAITS, f"how threads of {MACHINE} wait is not known here")
def test_it_sleeps_until_something_happens(circusd: Start) -> None:
    """Not one thread waits for a time, whatever it has to look after."""
    daemon = circusd(
        "[watcher:w]\ncmd = sleep 3600\nnumprocesses = 5\nstdout_stream.filename = FOLDER/out\n"
        "[watcher:lazy]\ncmd = sleep 3600\non_demand = True\nuse_sockets = True\n"
        "[watcher:off]\ncmd = sleep 3600\nautostart = False\n"
        "[socket:s]\npath = FOLDER/s\n"
    )
    daemon.wait_pids("w", 5)
    tasks = Path(f"/proc/{daemon.process.pid}/task")
    wait_until(lambda: all(map(waits_for_ever, tasks.iterdir())))
