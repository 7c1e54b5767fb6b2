"""circusctl for several watchers at once, and what a person sees of them on a terminal."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
[socket:spare]
host = 127.0.0.1
port = 0
[watcher:Web]
cmd = sleep 3600
group = back
graceful_timeout = 2
[watcher:db]
cmd = sleep 3600
group = back
[watcher:api-one]
cmd = sleep 3600
[watcher:api-two]
cmd = sleep 3600
[watcher:single]
cmd = sleep 3600
singleton = True
[watcher:off]
cmd = sleep 3600
autostart = False
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Daemon]:
    daemon = Daemon(CONFIG).wait()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(shared: Daemon) -> Daemon:
    """All as configured."""
    assert shared.ctl("start", "--waiting").returncode == 0
    assert shared.ctl("scale", "Web", "db", "api-*", "1", "--waiting").returncode == 0
    assert shared.ctl("stop", "off", "--waiting").returncode == 0
    return shared


CASES = [
    ("stop db web --waiting", "db: ok\nweb: ok\n", "", 0),
    ("start web db api-* --waiting", "Web: ok\ndb: ok\napi-one: ok\napi-two: ok\n", "", 0),
    ("restart @back --waiting", "db: ok\nWeb: ok\n", "", 0),
    ("reload --group back --waiting", "db: ok\nWeb: ok\n", "", 0),
    ("incr web db 2 --waiting", "web: 3\ndb: 3\n", "", 0),
    ("decr web db", "web: ok\ndb: ok\n", "", 0),
    ("signal api-* CONT", "api-one: ok\napi-two: ok\n", "", 0),
    ("kill api-one api-two --waiting", "api-one: ok\napi-two: ok\n", "", 0),
    ("status @back off", "db: active\nWeb: active\noff: stopped\n", "", 0),
    ("status nope web", "web: active\n", "nope: error: program nope not found\n", 3),
    ("start x* web", "Web: ok\n", "x*: error: program x* not found\n", 3),
    ("stop @none", "", "@none: error: no watcher is in the group none\n", 3),
    ("scale web=2 nope=1", "web: ok\n", "nope: error: program nope not found\n", 3),
    ("rm nope noper", "", "nope: error: program nope not found\n"
                          "noper: error: program noper not found\n", 3),
    ("start web --match simple", "ok\n", "", 0),
    ("start API-ONE --waiting", "ok\n", "", 0),
    ("scale db 2", "ok\n", "", 0),
    ("scale single 3", "This watcher is a Singleton - not changing the number of processes\n",
     "", 0),
    ("scale db 3 --dry-run", "live  watcher db  numprocesses 1 -> 3\n", "", 0),
    ("scale single 3 --dry-run", "nothing  watcher single  numprocesses is 1\n", "", 0),
    ("stop @back --dry-run", "db: stop  watcher db  asked for\n"
                             "Web: stop  watcher Web  asked for\n", "", 0),
]  # fmt: skip


@pytest.mark.parametrize(("line", "out", "err", "status"), CASES, ids=[one[0] for one in CASES])
def test_one_line_of_outcome_each(
    daemon: Daemon, line: str, out: str, err: str, status: int
) -> None:
    ended = daemon.ctl(*line.split())
    assert (ended.stdout, ended.stderr, ended.returncode) == (out, err, status)


def test_scale_sets_the_number(daemon: Daemon) -> None:
    assert daemon.ctl("scale", "web=3", "db=2", "api-*", "0", "--waiting").returncode == 0
    counts = {name: len(daemon.pids(name)) for name in ("web", "db", "api-one", "api-two")}
    assert counts == {"web": 3, "db": 2, "api-one": 0, "api-two": 0}
    assert daemon.call("get", name="web", keys=["numprocesses"])["options"] == {"numprocesses": 3}


def test_as_json_all_answers_are_one_object(daemon: Daemon) -> None:
    found = daemon.json("status", "web", "nope")
    assert {name: answer["status"] for name, answer in found.items()} == {
        "web": "active",
        "nope": "error",
    }
    assert daemon.json("status").keys() >= {"statuses", "groups"}
    assert daemon.call("status")["groups"] == {"back": ["db", "Web"]}


def test_they_are_asked_at_once(daemon: Daemon) -> None:
    # one that takes its time holds up nobody: its answer comes last and is printed first
    daemon.call("set", name="web", options={"cmd": "sh -c 'trap : TERM; while :; do read x; done'"})
    wait_until(lambda: daemon.call("status", name="web")["status"] == "active")
    ended = daemon.ctl("stop", "web", "db", "--waiting")
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert re.fullmatch(r"web: ok(; had to be killed: .*)?\ndb: ok\n", ended.stdout)
    daemon.call("set", name="web", options={"cmd": "sleep 3600"})


def test_a_thousand_answers_all_arrive(daemon: Daemon) -> None:
    daemon.ctl("start", *["db"] * 3, *(f"none-{number}" for number in range(2500)))
    names = ["web", *(f"none-{number}" for number in range(2500))]
    ended = daemon.ctl("start", *names)
    assert ended.stdout == "web: ok\n"
    assert ended.stderr.count("not found") == 2500


# -- on a terminal ------------------------------------------------------------------------------


def on_terminal(daemon: Daemon, *words: str, columns: int = 80, **environ: str) -> tuple[str, int]:
    """What a person sees, and the exit status."""
    ours, theirs = os.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint, *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environ},
    )
    os.close(theirs)
    seen = b""
    try:
        while data := os.read(ours, 4096):
            seen += data
    except OSError:  # the other side is closed: the end
        pass
    os.close(ours)
    return seen.decode().replace("\r\n", "\n"), process.wait(timeout=30)


def test_status_is_a_table_for_a_person(daemon: Daemon) -> None:
    text, status = on_terminal(daemon, "status", NO_COLOR="1")
    head, *rows = text.splitlines()
    assert status == 0
    assert head.split() == ["NAME", "STATE", "WORKERS", "RESTARTS", "SINCE", "PIDS"]
    assert [row.split()[:3] for row in rows][-2:] == [
        ["off", "stopped", "0/1"],
        ["single", "active", "1/1"],
    ]
    assert str(daemon.pids("web")[0]) in rows[0]
    assert "\x1b" not in text
    for columns in (20, 40):
        text, _ = on_terminal(daemon, "status", columns=columns, NO_COLOR="1")
        assert max(map(len, text.splitlines())) <= columns


def test_colour_of_a_terminal(daemon: Daemon) -> None:
    assert "\x1b[32mactive\x1b[0m" in on_terminal(daemon, "status")[0]
    assert "\x1b" not in on_terminal(daemon, "status", TERM="dumb")[0]
    assert "\x1b" not in on_terminal(daemon, "--color", "never", "status")[0]
    assert "\x1b[32mactive\x1b[0m" in daemon.ctl("status", "--color", "always").stdout


def test_what_a_terminal_shows_of_some(daemon: Daemon) -> None:
    text, status = on_terminal(daemon, "status", "@back", "nope", NO_COLOR="1")
    assert status == 3
    head, db, web, nope = text.splitlines()
    assert (head[:4], db[:2], web[:3]) == ("NAME", "db", "Web")
    assert nope == "nope: error: program nope not found"
    assert on_terminal(daemon, "status", "web") == ("active\n", 0)
    for verb in ("stats", "why", "listsockets"):
        text, status = on_terminal(daemon, verb, NO_COLOR="1")
        assert status == 0
        assert text.split()[0].isupper()
