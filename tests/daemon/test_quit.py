"""The end of circusd: nothing new begins, nothing is left."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

STUBBORN = """
[watcher:stubborn]
cmd = trap '' TERM; echo ready; while :; do sleep 60 & wait; done
shell = True
copy_env = True
graceful_timeout = 60
stdout_stream.filename = FOLDER/stubborn.log
[watcher:web]
cmd = sleep 3600
"""


@pytest.mark.parametrize(
    ("verb", "properties"),
    [
        ("start", {}),
        ("start", {"name": "web"}),
        ("restart", {}),
        ("restart", {"name": "web"}),
        ("reload", {"name": "web"}),
        ("reloadconfig", {}),
        ("add", {"name": "new", "cmd": "sleep 3600", "start": True}),
        ("set", {"name": "web", "options": {"numprocesses": 2}}),
    ],
)
def test_nothing_begins_once_the_end_has_begun(
    circusd: Start, verb: str, properties: dict[str, object]
) -> None:
    daemon = circusd(STUBBORN)
    wait_until(lambda: text_of(daemon.folder / "stubborn.log") == "ready\n")
    assert daemon.call("quit")["status"] == "ok"
    answer = daemon.call(verb, **properties)
    assert (answer["errno"], answer["reason"]) == (5, "circusd is being stopped")
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Got signal SIG_TERM" in daemon.text())
    daemon.process.send_signal(signal.SIGINT)  # a second one: no more waiting
    assert daemon.process.wait(timeout=30) == 0


def test_a_watcher_that_was_removed_is_waited_for(circusd: Start) -> None:
    daemon = circusd(STUBBORN.replace("graceful_timeout = 60", "graceful_timeout = 1"))
    wait_until(lambda: text_of(daemon.folder / "stubborn.log") == "ready\n")
    pid = daemon.pids("stubborn")[0]
    assert daemon.call("rm", name="stubborn")["status"] == "ok"
    assert daemon.call("quit")["status"] == "ok"
    assert daemon.process.wait(timeout=30) == 0
    assert not alive(pid)


def test_who_hides_without_session_and_environment_goes_at_the_end(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:hider]
cmd = (env -i setsid sh -c 'echo $$ > FOLDER/hidden; trap "" TERM; while :; do sleep 1; done' &);
    sleep 3600
shell = True
copy_env = True
"""
    )
    hidden = daemon.folder / "hidden"
    pid = int(wait_until(lambda: text_of(hidden).strip()))
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: f"Sending SIGTERM to what is left: sh (pid {pid})" in daemon.text())
    os.kill(daemon.process.pid, signal.SIGTERM)
    assert daemon.process.wait(timeout=30) == 0
    assert not alive(pid)
