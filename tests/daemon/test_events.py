"""Events are numbered, kept for a while, and nobody who listens misses one without being told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import zmq

from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.daemon.conftest import Start
    from tests.support import Daemon

LIVE = {
    "backoff_delay": 1, "backoff_factor": 2, "backoff_jitter": 0, "backoff_max": 9,
    "backoff_reset": 9, "graceful_timeout": 9, "max_retry": 5, "priority": 1, "ready_after": 0,
    "respawn": True, "send_hup": False, "stop_children": False, "stop_signal": 15,
    "warmup_delay": 0,
}  # fmt: skip
"""Each of them that is set is an event, and nothing else happens."""


def happen(daemon: Daemon, times: int = 1) -> None:
    for _ in range(times):
        assert daemon.call("set", name="w", options=LIVE)["status"] == "ok"


class Listening:
    """`circusctl listen`, with what it has printed so far."""

    def __init__(self, daemon: Daemon, folder: Path, *arguments: str) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            command = [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint]
            self.process = subprocess.Popen(
                [*command, "--json", "listen", *arguments],
                stdout=out,
                stderr=err,
            )

    def numbers(self) -> list[tuple[str, int]]:
        """Instance and number of each event."""
        return list(self._numbers())

    def _numbers(self) -> Iterator[tuple[str, int]]:
        for line in self.out.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                message = json.loads(line)["message"]
                yield message["instance"], message["seq"]

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)


def where(daemon: Daemon) -> dict[str, Any]:
    return daemon.call("events")


def test_those_who_were_away_get_what_they_missed(circusd: Start) -> None:
    daemon = circusd("[circus]\nevent_history = 50\n[watcher:w]\ncmd = sleep 3600\n")
    daemon.call("wait", names=["w"], until="active")
    begin = where(daemon)
    happen(daemon)
    missed = daemon.call("events", since=begin["last"], instance=begin["instance"])
    first = begin["last"] + 1
    assert [one["message"]["seq"] for one in missed["events"]] == [*range(first, first + len(LIVE))]
    assert [one["message"]["option"] for one in missed["events"]] == list(LIVE)
    assert {one["topic"] for one in missed["events"]} == {"watcher.w.updated"}
    assert not missed["gap"]
    assert daemon.call("events", since=missed["last"])["events"] == []
    (spawn,) = daemon.call("events", since=0, topics=["watcher.w.sp"])["events"]
    assert spawn["message"]["process_pid"] in daemon.pids("w")
    happen(daemon, 10)
    late = daemon.call("events", since=begin["last"])
    assert late["gap"]
    assert len(late["events"]) == 50
    assert late["events"][0]["message"]["seq"] == late["oldest"]
    other = daemon.call("events", since=late["last"], instance="another")
    assert (other["gap"], other["events"]) == (True, late["events"])


def test_a_listener_that_stands_still_holds_up_nobody_and_learns_of_the_gap(
    circusd: Start, tmp_path: Path
) -> None:
    daemon = circusd("[circus]\nevent_history = 100\n[watcher:w]\ncmd = sleep 3600\n")
    daemon.call("wait", names=["w"], until="active")
    before = where(daemon)["last"]
    listening = Listening(daemon, tmp_path, "--since", str(before))
    try:
        happen(daemon, 2)
        wait_until(lambda: len(listening.numbers()) == 2 * len(LIVE))
        os.kill(listening.process.pid, signal.SIGSTOP)
        happen(daemon, 500)  # more than every queue on the way, and than what is kept
        os.kill(listening.process.pid, signal.SIGCONT)
        last = where(daemon)["last"]

        def catches_up() -> bool:
            happen(daemon)  # it learns of the gap by the first event that finds room on the way
            return bool(listening.numbers()[-1][1] > last)

        wait_until(catches_up)
    finally:
        listening.end()
    numbers = [number for _, number in listening.numbers()]
    last = numbers[-1]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == before + 1
    assert len(numbers) < last - before
    assert listening.err.read_text().startswith("some events are missing; the oldest that is kept")
    # after what is missing there is all that was kept, without a hole
    assert numbers[-100:] == [*range(last - 99, last + 1)]


def test_a_listener_goes_on_with_the_next_circusd(circusd: Start, tmp_path: Path) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    daemon.call("wait", names=["w"], until="active")
    listening = Listening(daemon, tmp_path, "--since", "0")
    try:
        old = where(daemon)
        wait_until(lambda: (old["instance"], old["last"]) in listening.numbers())
        daemon.call("quit")
        daemon.process.wait(20)
        daemon.begin()
        wait_until(lambda: listening.numbers()[-1][0] != old["instance"])
        new = where(daemon)
        happen(daemon)
        wait_until(lambda: (new["instance"], new["last"] + len(LIVE)) in listening.numbers())
    finally:
        listening.end()
    found = [number for instance, number in listening.numbers() if instance == new["instance"]]
    assert found == [*range(1, found[-1] + 1)]
    assert listening.err.read_text().startswith("some events are missing")


def test_a_restart_of_circusd_takes_no_event_away(circusd: Start, tmp_path: Path) -> None:
    """From nobody: who listens has all, and who comes later can ask for all."""
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    listening = Listening(daemon, tmp_path, "--since", "0")
    try:
        daemon.start_anew("w")
        daemon.start_anew("w")
        now = where(daemon)
        wait_until(lambda: (now["instance"], now["last"]) in listening.numbers())
    finally:
        listening.end()
    found = listening.numbers()
    assert found == [(now["instance"], number) for number in range(1, found[-1][1] + 1)]
    assert "missing" not in listening.err.read_text()
    missed = daemon.call("events", since=0, instance=now["instance"])
    assert not missed["gap"]
    assert [one["message"]["seq"] for one in missed["events"]] == [*range(1, missed["last"] + 1)]


def test_clients_of_circus_0_19_see_the_same_topics_and_more_in_a_message(circusd: Start) -> None:
    daemon = circusd("[watcher:My W]\ncmd = sleep 3600\n")
    with zmq.Context() as context, context.socket(zmq.SUB) as sub:
        sub.subscribe(b"watcher.my_w.")
        sub.connect(daemon.call("globaloptions")["options"]["pubsub_endpoint"])
        sub.setsockopt(zmq.RCVTIMEO, 20_000)
        # whenever the subscription has arrived
        wait_until(lambda: daemon.call("set", name="my w", options=LIVE) and sub.poll(20))
        topic, payload = sub.recv_multipart()
    assert topic.startswith(b"watcher.my_w.")
    assert {"time", "seq", "instance"} <= set(json.loads(payload))
