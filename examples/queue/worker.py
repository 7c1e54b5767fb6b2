"""A worker of circus.ini: does one job after the other, until it is asked to end.

A job is moved from the list `jobs` to a list of the worker's own, and out of that when it is done.
So none is lost, whatever happens: what a worker that was killed has left there, its successor puts
back into `jobs`. One that was killed in the middle of a job may have done it in part.
"""

from __future__ import annotations

import os
import signal
import time

import redis

MINE = f"doing:{os.getpid()}"
going = True


def end(signum: int, frame: object) -> None:
    """SIGTERM: no further job after this one."""
    global going
    going = False


def put_back(store: redis.Redis) -> None:
    """The jobs of workers that are gone."""
    for key in store.scan_iter("doing:*"):
        pid = key.decode().removeprefix("doing:")
        if key.decode() == MINE or not os.path.exists(f"/proc/{pid}"):
            while store.lmove(key, "jobs", "RIGHT", "LEFT") is not None:
                pass


def work(job: bytes) -> str:
    """Whatever a job is; here it takes a tenth of a second."""
    time.sleep(0.1)
    return f"{job.decode()} done by {os.getpid()}"


def main() -> None:
    """Until SIGTERM."""
    signal.signal(signal.SIGTERM, end)
    store = redis.Redis(unix_socket_path="redis.sock")
    put_back(store)
    while going:
        # it waits for a second at most, so that it hears of SIGTERM while there is nothing to do
        job = store.blmove("jobs", MINE, 1, "LEFT", "RIGHT")
        if job is not None:
            result = work(job)
            store.pipeline().rpush("done", result).lrem(MINE, 1, job).execute()


try:
    main()
except redis.ConnectionError as error:
    raise SystemExit(f"worker.py: {error}") from None  # circusd tries again
