"""Does the daemon stay as it is? Commands, clients, workers and lines, in numbers of years.

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
RESPAWNS = 100_000
LINES = 10_000_000
AT_ONCE = 100
ROUNDS = 4
"""What the first round adds is what the daemon needs; what later ones add has leaked."""
LINE = "a line as others are"
CONFIG = f"""\
[watcher:w]
cmd = sleep 3600

[watcher:mortal]
cmd = true
numprocesses = 50
max_retry = -1
backoff_delay = 0
autostart = False

[watcher:talker]
cmd = sh -c 'yes "{LINE}" | head -n {LINES // ROUNDS}; exec sleep 3600'
autostart = False
stdout_stream.filename = FOLDER/talker.log
stdout_stream.max_bytes = 10000000
stdout_stream.backup_count = 2
"""


def main() -> int:
    """Print what the daemon holds after each part of the work."""
    daemon = Daemon(CONFIG, "--log-level", "error").wait()
    events = str(daemon.call("globaloptions")["options"]["pubsub_endpoint"])
    loads: tuple[tuple[str, Callable[[], int]], ...] = (
        ("commands, one client", lambda: commands(daemon.endpoint, COMMANDS // ROUNDS)),
        ("commands, a client for each ten", lambda: visits(daemon.endpoint, SUBSCRIBERS // ROUNDS)),
        ("subscribers", lambda: subscribers(daemon, events, SUBSCRIBERS // ROUNDS)),
        ("respawns", lambda: respawns(daemon, RESPAWNS // ROUNDS)),
        ("lines", lambda: lines(daemon, LINES // ROUNDS)),
    )
    print(f"{'':40}{'':>10}{held(daemon)}")
    for what, load in loads:
        for _ in range(ROUNDS):
            count = load()
            print(f"{what:40}{count:>10}{held(daemon)}", flush=True)
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


def respawns(daemon: Daemon, count: int) -> int:
    """Workers that end at once, fifty at a time."""
    daemon.call("start", name="mortal")
    slot = daemon.slots("mortal")[0]["wid"]
    before = daemon.restarts("mortal")

    def enough() -> bool:
        # one slot tells about how far they all are, for a fiftieth of the price
        one: int = daemon.slots(f"mortal.{slot}")[0]["restarts"]
        return one > count / 50 and daemon.restarts("mortal") - before > count

    wait_until(enough, within=600)
    daemon.call("stop", name="mortal", waiting=True)
    return count


def lines(daemon: Daemon, count: int) -> int:
    """Written by one worker into a file that rotates."""
    before = _written(daemon)
    daemon.call("start", name="talker")
    wait_until(lambda: _written(daemon) - before == count * (len(LINE) + 1), within=600)
    daemon.call("stop", name="talker", waiting=True)
    return count


def _written(daemon: Daemon) -> int:
    output = daemon.call("stats", name="talker")["output"]
    size: int = output["stdout"]["written"] if output else 0
    return size


def held(daemon: Daemon) -> str:
    """Its memory, descriptors and threads."""
    daemon.call("numwatchers")
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    memory, threads = (
        int(status.partition(f"{name}:")[2].split()[0]) for name in ("VmRSS", "Threads")
    )
    return f"{memory:>10} KiB {daemon.descriptors():>5} descriptors {threads:>3} threads"


if __name__ == "__main__":
    sys.exit(main())
