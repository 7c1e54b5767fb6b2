"""The least that each measure can take: programs that do one thing and nothing else.

Run as `python benchmarks/floors.py NAME ARGUMENT`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import zmq

LAUNCHER = (
    'ulimit -n 500; ulimit -c 0; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
)


def popen(count: str) -> None:
    """A bare Popen loop."""
    _loop([["/bin/sleep", "100000"]] * int(count))


def launcher(count: str) -> None:
    """The same through sh and setpriv: another user, another group, two limits."""
    _loop([["/bin/sh", "-c", LAUNCHER, "sh", "/bin/sleep", "100000"]] * int(count))


def _loop(commands: list[list[str]]) -> None:
    started = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for command in commands]
    print("up", flush=True)
    sys.stdin.read()
    for process in started:
        process.terminate()
    for process in started:
        process.wait()


def respawn(count: str) -> None:
    """posix_spawn again whatever dies; prints each new pid. Ends at the end of its input."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])

    def start() -> int:
        argv = ["sleep", "100000"]
        pid = os.posix_spawn("/bin/sleep", argv, os.environ, setsigmask=())
        print(pid, flush=True)
        return pid

    alive = {start() for _ in range(int(count))}
    while True:
        signal.sigwait([signal.SIGCHLD])
        while alive and (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)):
            alive.discard(found.si_pid)
            alive.add(start())


def echo(endpoint: str) -> None:
    """A ROUTER that parses and answers JSON."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.bind(endpoint)
    while True:
        identity, data = router.recv_multipart()
        answer = {"status": "ok", "id": json.loads(data)["id"], "statuses": {"w": "active"}}
        router.send_multipart([identity, json.dumps(answer).encode()])


if __name__ == "__main__":
    {one.__name__: one for one in (popen, launcher, respawn, echo)}[sys.argv[1]](sys.argv[2])
