"""The least that each measure can take: programs that do one thing and nothing else.

Run as `python floor.py NAME ARGUMENTS...`; each ends, with its workers, at SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

LAUNCHER = (
    'ulimit -n 512; ulimit -c 0; exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"'
)


def main() -> None:
    """Do what the command line says."""
    name, *arguments = sys.argv[1:]
    parts: dict[str, Callable[..., None]] = {
        "start": start, "launch": launch, "keep": keep, "copy": copy, "echo": echo, "ask": ask,
    }  # fmt: skip
    parts[name](*arguments)


def start(count: str, *command: str) -> None:
    """A bare Popen loop."""
    import subprocess

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    workers: list[subprocess.Popen[bytes]] = []
    try:
        workers.extend(
            subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(int(count))
        )
        signal.pause()
    finally:
        end({worker.pid for worker in workers})


def launch(count: str, *command: str) -> None:
    """The same through sh and setpriv: another user, another group, two limits."""
    start(count, "/bin/sh", "-c", LAUNCHER, "sh", *command)


def keep(count: str, *command: str) -> None:
    """A daemon that starts workers again, and knows nothing else."""
    watched = [signal.SIGCHLD, signal.SIGTERM]
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)

    def spawn() -> int:
        return os.posix_spawn(command[0], command, os.environ, setsigmask=())

    alive = {spawn() for _ in range(int(count))}
    while signal.sigwait(watched) == signal.SIGCHLD:
        while (found := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            alive.discard(found)
            alive.add(spawn())
    end(alive)


def end(alive: set[int]) -> None:
    """Stop them, and return when they have ended."""
    for pid in alive:
        os.kill(pid, signal.SIGTERM)
    for pid in alive:
        os.waitpid(pid, 0)


def copy(count: str, path: str, *command: str) -> NoReturn:
    """Read what workers write, 64 KiB at a time, and write it to a file."""
    import select
    import subprocess

    poller = select.epoll()
    for _ in range(int(count)):
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        # nobody may close it
        poller.register(os.dup(worker.stdout.fileno()), select.EPOLLIN)
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        for fd, _event in poller.poll():
            os.write(out, os.read(fd, 65536))


def echo(endpoint: str) -> NoReturn:
    """A ROUTER that parses and answers JSON."""
    import json
    import time

    import zmq

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.bind(endpoint)
    while True:
        identity, data = router.recv_multipart()
        asked = json.loads(data)
        answer = {"status": "ok", "time": time.time(), "numwatchers": 1, "id": asked["id"]}
        router.send_multipart([identity, json.dumps(answer).encode()])


def ask(endpoint: str) -> None:
    """One request, one answer."""
    import zmq

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.connect(endpoint)
    dealer.send(b'{"command": "status", "properties": {}, "id": "x"}')
    with contextlib.suppress(BrokenPipeError):
        os.write(1, dealer.recv() + b"\n")


if __name__ == "__main__":
    main()
