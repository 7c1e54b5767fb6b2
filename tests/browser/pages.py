"""Every page of a console with something on each: what tests walk through."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    from tests.support import Daemon
    from tests.web.conftest import Open
    from tests.web.console import Console
WATCHERS = """
[watcher:web]
cmd = sh -c 'while :; do echo "GET / 200"; sleep 1; done'
numprocesses = 2
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
[watcher:report]
cmd = sh -c "exit 3"
backoff_delay = 600
backoff_max = 600
[watcher:an-extraordinarily-long-name-that-somebody-thought-would-be-a-good-idea-for-a-watcher]
cmd = sleep 3600
autostart = False
[socket:http]
host = 127.0.0.1
port = 0
[socket:path]
path = FOLDER/an-extraordinarily-long-name-for-the-file-of-a-socket.sock
"""
MORE = "[watcher:more]\ncmd = sleep 3600\n"
PAGES = (
    "/", "/?filter=nothing-like-it", "/watchers/web", "/watchers/report", "/watchers/web/logs",
    "/watchers/report/logs", "/watchers/web/options", "/sockets", "/events", "/plan",
    "/plan?way=back", "/add_watcher", "/connect", "/nowhere",
)  # fmt: skip
SETTINGS = "allow_add = True\npassword_file = FOLDER/users\n"


def end(daemon: Daemon) -> None:
    """It is not there any more, until it begins again."""
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.wait(timeout=30)


def busy(consoles: Open) -> Console:
    """One of whose watchers one fails; its file has changed meanwhile."""
    console = consoles(SETTINGS, watchers=WATCHERS)
    console.daemon.write(WATCHERS + MORE)
    wait_until(lambda: console.daemon.file("web.log"))
    wait_until(lambda: "exited with code 3" in str(console.daemon.call("why", name="report")))
    return console
