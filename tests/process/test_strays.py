"""Waiting for the trees of workers, where orphans are not ours."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from functools import partial

from circus.process import Process
from circus.strays import Strays


def test_one_that_is_closed_looks_no_more() -> None:
    told: list[str] = []

    async def main(pid: int) -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        closed, watching = Strays(loop, adopt=False), Strays(loop, adopt=False)
        for strays, on_empty in (
            (closed, partial(told.append, "closed")),
            (watching, partial(gone.set_result, None)),
        ):
            process = Process.of_worker("w", 1, pid, "mark", None)
            assert strays.ended(process, on_empty, 1.0, asked=False)
        closed.close()
        os.killpg(pid, signal.SIGKILL)
        await asyncio.wait_for(gone, 20)

    leader = subprocess.Popen(
        ["sh", "-c", "sleep 1000 & echo"], stdout=subprocess.PIPE, process_group=0
    )
    assert leader.stdout is not None
    assert leader.stdout.readline() == b"\n"
    leader.wait()
    asyncio.run(main(leader.pid))
    leader.stdout.close()
    assert told == []
