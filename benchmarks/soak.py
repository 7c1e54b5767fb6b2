"""Does the daemon's memory stay flat? 200 000 commands and 10 000 subscribers, come and gone.

Run as a module, from the repository: `python -m benchmarks.soak`.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from circus.client import make_json
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMANDS = 100_000
SUBSCRIBERS = 10_000
AT_ONCE = 100
ROUNDS = 4
"""What the first round adds is what the daemon needs; what later ones add has leaked."""


def main() -> int:
    """Print the resident memory, in KiB, after each part of the work."""
    daemon = Daemon("[watcher:w]\ncmd = sleep 3600\n").wait()
    events = str(daemon.call("globaloptions")["options"]["pubsub_endpoint"])
    loads: tuple[tuple[str, Callable[[], int]], ...] = (
        ("commands, one client", lambda: commands(daemon.endpoint, COMMANDS // ROUNDS)),
        ("commands, a client for each ten", lambda: visits(daemon.endpoint, SUBSCRIBERS // ROUNDS)),
        ("subscribers", lambda: subscribers(daemon, events, SUBSCRIBERS // ROUNDS)),
    )
    print(f"{'':40}{'':>10}{resident(daemon):>10} KiB")
    for what, load in loads:
        for _ in range(ROUNDS):
            count = load()
            print(f"{what:40}{count:>10}{resident(daemon):>10} KiB")
    print(f"descriptors: {len(list(Path(f'/proc/{daemon.process.pid}/fd').iterdir()))}")
    return daemon.stop()


def commands(endpoint: str, count: int) -> int:
    """Half of them change something."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.connect(endpoint)
        for message in mixed(count, AT_ONCE):
            for one in message:
                sock.send(one)
            for _ in message:
                sock.recv()
    return count


def mixed(count: int, at_once: int) -> Iterator[list[bytes]]:
    """Messages in portions."""
    both = [make_json("status"), make_json("set", name="w", options={"priority": 1})]
    for _ in range(count // at_once):
        yield both * (at_once // 2)


def visits(endpoint: str, count: int) -> int:
    """Clients that come, ask and go."""
    with zmq.Context() as context:
        for _ in range(count):
            with context.socket(zmq.DEALER) as sock:
                sock.setsockopt(zmq.LINGER, 0)
                sock.connect(endpoint)
                for _ in range(10):
                    sock.send(make_json("numwatchers"))
                    sock.recv()
    return count


def subscribers(daemon: Daemon, events: str, count: int) -> int:
    """Each hears of something, or is gone before; some vanish without a word."""
    with zmq.Context() as context:
        for _ in range(count // AT_ONCE):
            socks = [context.socket(zmq.SUB) for _ in range(AT_ONCE)]
            for number, sock in enumerate(socks):
                sock.subscribe(b"watcher.w." + b"x" * number)
                sock.subscribe(b"")
                sock.connect(events)
            hears = partial(_tells, daemon, socks[-1])
            wait_until(hears)
            for sock in socks:
                sock.close(linger=0)
    return count


def _tells(daemon: Daemon, sock: zmq.Socket[bytes]) -> bool:
    """Whether somebody hears of what happens; until the subscription has arrived, nobody does."""
    daemon.call("set", name="w", options={"priority": 1})
    return bool(sock.poll(10))


def resident(daemon: Daemon) -> int:
    """Memory of the daemon, in KiB."""
    daemon.call("numwatchers")
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    sys.exit(main())
