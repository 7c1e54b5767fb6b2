"""Does the daemon stay as it is? Commands, clients, workers and lines, in numbers of years.

Run as a module, from the repository: `python -m benchmarks.soak`; `--short` for less than a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import zmq

from circus.client import make_json
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = 100
ROUNDS = 4
MOST_ROUNDS = 8
"""So many while the last one has added something: what is needed comes once, a leak each time."""
NOISE = 512
"""KiB that may come with a round."""
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
cmd = sh -c 'yes "{LINE}" | head -n LINES; exec sleep 3600'
autostart = False
stdout_stream.filename = FOLDER/talker.log
stdout_stream.max_bytes = 10000000
stdout_stream.backup_count = 2
"""


@dataclass(frozen=True)
class Amount:
    """How much of each load, all rounds together."""

    commands: int = 100_000
    subscribers: int = 10_000
    respawns: int = 100_000
    lines: int = 10_000_000

    def a_round(self) -> Amount:
        """How much of it in one."""
        all_of_it = (self.commands, self.subscribers, self.respawns, self.lines)
        return Amount(*(one // ROUNDS for one in all_of_it))


SHORT = Amount(commands=20_000, subscribers=2_000, respawns=10_000, lines=2_000_000)


class Held(NamedTuple):
    """What the daemon has of the machine."""

    memory: int
    """KiB."""
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.memory:>10} KiB {self.descriptors:>5} descriptors {self.threads:>3} threads"


def main() -> int:
    """Print what the daemon holds after each part of the work; 1 when that becomes more."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small part of each load")
    leaks = soak(SHORT if parser.parse_args().short else Amount())
    print("\n".join(leaks) or "it stays as it is")
    return 1 if leaks else 0


def soak(amount: Amount) -> list[str]:
    """Print what the daemon holds after each part of the work. Returns what has leaked."""
    one = amount.a_round()
    config = CONFIG.replace("LINES", str(one.lines))
    with contextlib.ExitStack() as stack:
        daemon = Daemon(config, "--log-level", "error")
        stack.callback(daemon.stop)
        daemon.wait()
        events = str(daemon.call("globaloptions")["options"]["pubsub_endpoint"])
        loads: dict[str, Callable[[], int]] = {
            "commands, one client": lambda: commands(daemon.endpoint, one.commands),
            "commands, a client for each ten": lambda: visits(daemon.endpoint, one.subscribers),
            "subscribers": lambda: subscribers(daemon, events, one.subscribers),
            "respawns": lambda: respawns(daemon, one.respawns),
            "lines": lambda: lines(daemon, one.lines),
        }
        print(f"{'':40}{'':>10}{held(daemon)}")
        return [fault for what, load in loads.items() for fault in leak(daemon, what, load)]


def leak(daemon: Daemon, what: str, load: Callable[[], int]) -> list[str]:
    """Print what the daemon holds after each round of one load. Returns what has leaked."""
    before, rounds = held(daemon), list[Held]()
    while len(rounds) < ROUNDS or (len(rounds) < MOST_ROUNDS and not _flat(rounds)):
        count = load()
        with contextlib.suppress(AssertionError):  # those of clients are closed a moment later
            wait_until(lambda: daemon.descriptors() <= before.descriptors, within=5)
        rounds.append(held(daemon))
        print(f"{what:40}{count:>10}{rounds[-1]}", flush=True)
    return [] if _flat(rounds) else [f"{what}: each round adds something"]


def _flat(rounds: list[Held]) -> bool:
    """Whether the last one has added nothing."""
    first, before, last = rounds[0], rounds[-2], rounds[-1]
    same = last.descriptors <= first.descriptors and last.threads <= first.threads
    return same and last.memory - before.memory <= NOISE


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


def held(daemon: Daemon) -> Held:
    """At this moment."""
    daemon.call("numwatchers")
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    memory, threads = (
        int(status.partition(f"{name}:")[2].split()[0]) for name in ("VmRSS", "Threads")
    )
    return Held(memory, daemon.descriptors(), threads)


if __name__ == "__main__":
    sys.exit(main())
