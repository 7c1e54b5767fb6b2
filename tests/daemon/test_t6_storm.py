"""Everything at once: crash loops, wrong commands, a stop that hangs, and many who ask (T6).

No clock in here: that all is answered and nobody is held up is asserted, how soon is measured in
benchmarks/.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import TYPE_CHECKING

from circus.client import CircusClient
from tests.support import alive, child, ready, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

CLIENTS = 16
ASKS = 40
VERBS = ("status", "list", "numprocesses", "stats", "options", "why", "dstats")
CONFIG = (
    "".join(
        f"[watcher:crash{n}]\ncmd = {child('exit', 1)}\nmax_retry = -1\nbackoff_max = 2\n"
        for n in range(100)
    )
    + "".join(
        f"[watcher:wrong{n}]\ncmd = /nowhere/program\nmax_retry = -1\nbackoff_max = 2\n"
        for n in range(50)
    )
    + f"[watcher:deaf]\ncmd = {child('ignore_term')}\ngraceful_timeout = 1000\n"
    + "[watcher:web]\ncmd = sleep 3600\nnumprocesses = 2\n"
)


def ask(daemon: Daemon, answers: Counter[str]) -> None:
    """Ask many things, one after the other."""
    client = CircusClient(endpoint=daemon.endpoint, timeout=60.0)
    for number in range(ASKS):
        verb = VERBS[number % len(VERBS)]
        named = {} if verb in ("status", "list", "numprocesses", "dstats") else {"name": "web"}
        answers[client.send_message(verb, **named)["status"]] += 1
    client.stop()


def test_t6_nobody_is_held_up_by_anything(circusd: Start) -> None:
    daemon = circusd(CONFIG)
    daemon.wait_pids("web", 2)
    deaf = wait_until(lambda: ready(daemon.text()))[0]
    assert daemon.call("stop", name="deaf")["status"] == "ok"
    answers: Counter[str] = Counter()
    threads = [threading.Thread(target=ask, args=(daemon, answers)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    # meanwhile every other watcher does what it is told
    assert daemon.call("incr", name="web", waiting=True)["numprocesses"] == 3
    assert daemon.call("restart", name="web", waiting=True)["status"] == "ok"
    assert daemon.call("add", name="new", cmd="sleep 3600", start=True, waiting=True)["started"]
    assert daemon.call("rm", name="new", waiting=True)["status"] == "ok"
    for name in ("crash7", "wrong7"):
        assert daemon.call("stop", name=name, waiting=True)["status"] == "ok"
        assert daemon.call("status", name=name)["status"] == "stopped"
    for thread in threads:
        thread.join()
    assert answers == {"ok": CLIENTS * ASKS}
    assert daemon.call("status", name="deaf")["status"] == "stopping"
    assert alive(deaf)
    assert daemon.call("kill", name="deaf", graceful_timeout=0, waiting=True)["status"] == "ok"
    check_log(daemon)


def check_log(daemon: Daemon) -> None:
    """A life has two lines and a failed start one at most, however many there are."""
    log = daemon.text()
    for name in ("crash1", "wrong1"):
        slots = daemon.slots(name)
        lives = max(slots[0]["restarts"], slots[0]["failures"]) + 1
        told = len(re.findall(rf"] {name}(?:\.1)?[: ]", log))
        assert told <= 2 * lives + 5
