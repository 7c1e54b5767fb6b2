"""Changes of everything at once: told before, done wholly or not at all, and undone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import child, ready, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.conftest import Start
    from tests.support import Daemon

FOUR = """
[watcher:web]
cmd = sleep 1000
numprocesses = 2
[watcher:db]
cmd = sleep 2000
[watcher:idle]
cmd = sleep 3000
autostart = False
[env:web]
TOKEN = secret
"""


def plan(daemon: Daemon, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = daemon.json("plan", *arguments)
    assert found["status"] == "ok", found
    return found


def steps(answer: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    return {one["name"]: (one["action"], one["why"]) for one in answer["steps"]}


def everything(daemon: Daemon) -> dict[str, Any]:
    """What would be different if anything had been touched."""
    names = daemon.call("list")["watchers"]
    sockets = daemon.call("listsockets")["sockets"]
    return {
        "pids": {name: daemon.pids(name) for name in names},
        "options": {name: daemon.call("options", name=name)["options"] for name in names},
        "status": daemon.statuses(),
        "sockets": [{key: one[key] for key in one if key != "queue"} for one in sockets],
    }


def test_a_plan_says_what_and_why_and_touches_nothing(circusd: Start) -> None:
    daemon = circusd(FOUR)
    daemon.wait_pids("web", 2)
    daemon.wait_pids("db", 1)
    before = everything(daemon)
    nothing = daemon.ctl("plan", "--detailed-exitcode")
    stays = "3 watchers and 0 sockets stay as they are\n"
    assert (nothing.returncode, nothing.stdout) == (0, f"nothing to do\n{stays}")
    daemon.write(
        FOUR.replace("sleep 2000", "sleep 2001")
        .replace("numprocesses = 2", "numprocesses = 3")
        .replace("sleep 3000", "sleep 3001")
        + "[watcher:new]\ncmd = sleep 4000\n[watcher:later]\ncmd = x\nautostart = False\n"
        "[circus]\npidfile = FOLDER/pid\n"
    )
    assert daemon.ctl("plan").returncode == 1  # there is no program x
    daemon.write(daemon.config.read_text().replace("cmd = x", "cmd = sleep 5"))
    answer = plan(daemon)
    assert steps(answer) == {
        "web": ("live", ["numprocesses"]),
        "db": ("rolling", ["cmd"]),
        "idle": ("live", ["cmd", "it is stopped and stays so"]),
        "new": ("start", ["it is new"]),
        "later": ("add", ["it is new", "autostart is off"]),
        "circus": ("restart", ["pidfile"]),
    }
    assert answer["unchanged"] == {"watchers": 0, "sockets": 0}
    asked = daemon.ctl("plan", "--detailed-exitcode")
    assert asked.returncode == 2
    assert "rolling  watcher db" in asked.stdout
    assert "secret" not in asked.stdout
    assert everything(daemon) == before
    dry = daemon.ctl("reloadconfig", "--dry-run")
    assert "rolling  watcher db" in dry.stdout
    assert everything(daemon) == before


def test_only_what_changed_is_touched(circusd: Start) -> None:
    daemon = circusd(FOUR)
    web, db = daemon.wait_pids("web", 2), daemon.wait_pids("db", 1)
    daemon.write(FOUR.replace("sleep 2000", "sleep 2001").replace("secret", "secret"))
    assert daemon.ctl("plan").stdout.endswith("2 watchers and 0 sockets stay as they are\n")
    assert daemon.ctl("reloadconfig", "--waiting").stdout == "ok\n"
    assert daemon.pids("web") == web
    assert daemon.pids("db") != db
    assert plan(daemon)["steps"] == []
    assert daemon.ctl("reloadconfig", "--waiting").returncode == 0
    assert daemon.pids("web") == web


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("[watcher:bad]\ncmd = /no/such/program\n", "'/no/such/program' does not exist"),
        ("[watcher:bad]\ncmd = sleep 1\nuid = nobody-here\n", "there is no user 'nobody-here'"),
        ("[watcher:bad]\ncmd = sleep 1\nnumprocesses = many\n", "not a whole number"),
        ("[watcher:bad]\ncmd = sleep 1\nrequires = ghost\n", "there is no watcher 'ghost'"),
        ("[watcher:bad]\ncmd = sleep 1\nstdout_stream.class = NoStream\n", "no stream class"),
        ("[socket:bad]\nhost = 127.0.0.1\nport = TAKEN\n", "cannot bind socket 'bad'"),
        (
            "[watcher:bad]\ncmd = sh -c 'exit 7'\nmax_retry = 1\nready_after = 9\n",
            "exited with code 7",
        ),
    ],
)
def test_t9_what_cannot_be_applied_leaves_everything_as_it_was(
    circusd: Start, wrong: str, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"[socket:www]\nhost = 127.0.0.1\nport = 0\n{FOUR}"
        daemon = circusd(text)
        daemon.wait_pids("web", 2)
        daemon.wait_pids("db", 1)
        before = everything(daemon)
        changed = text.replace("sleep 2000", "sleep 2001").replace("[watcher:idle]", "[watcher:x]")
        daemon.write(changed + wrong.replace("TAKEN", str(port)))
        ended = daemon.ctl("reloadconfig", "--waiting")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert says in ended.stderr
        now = everything(daemon)
        if "exit 7" in wrong:  # its neighbour had been replaced, and has been once more
            assert now["pids"].pop("db") != before["pids"].pop("db")
        assert now == before
        daemon.write(text)
        assert plan(daemon)["steps"] == []


def test_t13_what_was_done_by_hand_stays_until_it_is_to_be_forgotten(circusd: Start) -> None:
    daemon = circusd(FOUR)
    daemon.wait_pids("web", 2)
    assert daemon.call("incr", name="web", nb=2, waiting=True)["numprocesses"] == 4
    daemon.call("set", name="web", options={"graceful_timeout": 5}, waiting=True)
    daemon.call("stop", name="db", waiting=True)
    daemon.call("add", name="extra", cmd="sleep 77", start=True, waiting=True)
    daemon.write(FOUR.replace("secret", "other").replace("sleep 2000", "sleep 2001"))
    told = steps(plan(daemon))
    assert told == {
        "web": ("rolling", ["env.TOKEN"]),
        "db": ("live", ["cmd", "it is stopped and stays so"]),
    }
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    assert daemon.statuses() == {
        "web": "active", "db": "stopped", "idle": "stopped", "extra": "active",
    }  # fmt: skip
    assert len(daemon.pids("web")) == 4
    assert daemon.call("get", name="db", keys=["cmd"])["options"]["cmd"] == "sleep 2001"
    assert steps(plan(daemon, "--reset")) == {
        "extra": ("stop", ["it is not in the file any more"]),
        "web": ("live", ["numprocesses", "graceful_timeout"]),
        "db": ("start", ["it was stopped by hand"]),
    }
    assert daemon.call("reloadconfig", reset=True, waiting=True)["status"] == "ok"
    assert daemon.statuses() == {
        "web": "active", "db": "active", "idle": "stopped",
    }  # fmt: skip
    assert len(daemon.pids("web")) == 2
    # what the file says anew goes before what was done by hand
    daemon.call("incr", name="web", waiting=True)
    daemon.write(FOUR.replace("numprocesses = 2", "numprocesses = 1"))
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    assert len(daemon.pids("web")) == 1


def test_a_rollback_goes_back_step_by_step(circusd: Start) -> None:
    daemon = circusd(FOUR)
    daemon.wait_pids("db", 1)
    refused = daemon.ctl("rollback")
    assert (refused.returncode, refused.stderr) == (
        1, "error: cannot go back: the configuration has not been changed\n",
    )  # fmt: skip
    for number in (2001, 2002):
        daemon.write(FOUR.replace("2000", str(number)))
        daemon.call("reloadconfig", waiting=True)
    assert "rolling  watcher db  cmd" in daemon.ctl("rollback", "--dry-run").stdout
    for number in (2001, 2000):
        assert daemon.ctl("rollback", "--waiting").stdout == "ok\n"
        assert command_of(daemon, "db") == f"sleep {number}"
    assert steps(plan(daemon)) == {"db": ("rolling", ["cmd"])}  # the file is as it was
    assert daemon.ctl("rollback").returncode == 1


def test_what_is_set_while_a_reload_fails_stays(circusd: Start) -> None:
    daemon = circusd(FOUR)
    daemon.wait_pids("db", 1)
    gate = daemon.folder / "gate"
    os.mkfifo(gate)
    slow = f"[watcher:bad]\ncmd = read x < {gate}; exit 7\nshell = True\nready_after = 99\n"
    daemon.write(FOUR.replace("2000", "2001") + f"{slow}max_retry = 1\n")
    assert daemon.call("reloadconfig")["status"] == "ok"
    wait_until(lambda: daemon.statuses().get("bad") == "starting")
    assert command_of(daemon, "db") == "sleep 2001"
    daemon.call("set", name="db", options={"cmd": "sleep 2002"}, waiting=True)
    daemon.call("set", name="web", options={"graceful_timeout": 7}, waiting=True)
    gate.write_text("\n")
    wait_until(lambda: "everything is as it was before" in daemon.text())
    assert command_of(daemon, "db") == "sleep 2002"
    assert daemon.call("list")["watchers"] == ["db", "idle", "web"]
    assert daemon.call("get", name="web", keys=["graceful_timeout"])["options"] == {
        "graceful_timeout": 7.0,
    }  # fmt: skip


def test_hup_reads_the_file_and_replaces_the_rest(circusd: Start) -> None:
    daemon = circusd(FOUR)
    web, db = daemon.wait_pids("web", 2), daemon.wait_pids("db", 1)
    daemon.write(FOUR + "[watcher:bad]\ncmd = /no/such/program\n")
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "'/no/such/program' does not exist" in daemon.text())
    assert (daemon.pids("web"), daemon.pids("db")) == (web, db)
    daemon.write(FOUR.replace("2000", "2001"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.pids("db") != db and not {*daemon.pids("web")} & {*web})
    daemon.call("wait", names=["db", "web"])
    assert command_of(daemon, "db") == "sleep 2001"


def test_new_options_need_new_workers_also_with_send_hup(circusd: Start) -> None:
    hup = "[watcher:hup]\ncmd = sleep 10\nsend_hup = True\n"
    daemon = circusd(hup)
    daemon.wait_pids("hup", 1)
    for change in ("set", "file"):
        number = len(change) + 10
        if change == "set":
            daemon.call("set", name="hup", options={"cmd": f"sleep {number}"}, waiting=True)
        else:
            daemon.write(hup.replace("sleep 10", f"sleep {number}"))
            daemon.call("reloadconfig", waiting=True)
        assert command_of(daemon, "hup") == f"sleep {number}"


def command_of(daemon: Daemon, name: str) -> str:
    (pid,) = daemon.pids(name)
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()


def test_a_set_that_does_not_stand_is_taken_back(circusd: Start) -> None:
    daemon = circusd(FOUR + "[watcher:sh]\ncmd = exec sleep 9\nshell = True\nready_after = 0.2\n")
    before = daemon.wait_pids("sh", 1)
    answer = daemon.call("set", name="sh", options={"cmd": "exit 3"}, waiting=True)
    assert "the old workers still run" in answer["reason"]
    assert daemon.pids("sh") == before
    assert daemon.call("get", name="sh", keys=["cmd"])["options"]["cmd"] == "exec sleep 9"


DRY = [
    (("start", "idle"), "start    watcher idle  asked for"),
    (("start", "web"), "nothing  watcher web  it is active"),
    (("stop", "web"), "stop  watcher web  asked for"),
    (("stop", "idle"), "nothing  watcher idle  it is stopped"),
    (("restart", "web"), "restart  watcher web  asked for"),
    (("restart",), "restart  watcher web   asked for"),
    (("reload", "web"), "rolling  watcher web  asked for"),
    (("reload", "idle"), "start  watcher idle  asked for"),
    (("incr", "web"), "live  watcher web  numprocesses 2 -> 3"),
    (("decr", "web", "5"), "live  watcher web  numprocesses 2 -> 0"),
    (("set", "web", "cmd", "sleep 3"), "rolling  watcher web  cmd"),
    (("set", "web", "cmd", "sleep 1000"), "nothing to do"),
    (("add", "more", "sleep 1"), "add  watcher more  it is new"),
    (("reload", "hup"), "live  watcher hup  its workers get SIGHUP (send_hup)"),
    (("rm", "web"), "stop  watcher web  it is removed"),
    (("rm", "web", "--nostop"), "nothing  watcher web  its workers live on, unmanaged"),
    (("quit",), "stop     watcher web   circusd ends"),
]


def test_every_changing_verb_has_a_dry_run(circusd: Start) -> None:
    daemon = circusd(FOUR + "[watcher:hup]\ncmd = sleep 4000\nsend_hup = True\n")
    daemon.wait_pids("web", 2)
    (other,) = daemon.wait_pids("db", 1)
    daemon.wait_pids("hup", 1)
    before = everything(daemon)
    for words, line in DRY:
        told = daemon.ctl(words[0], "--dry-run", *words[1:])
        assert told.returncode == 0, told.stderr
        assert line.split() in [one.split() for one in told.stdout.splitlines()], told.stdout
    for words in (
        *(("set", "web", "cmd", "/no/where"), ("add", "web", "x"), ("rm", "ghost")),
        ("kill", "web", str(other)),
    ):
        assert daemon.ctl(words[0], "--dry-run", *words[1:]).returncode == 3
    assert everything(daemon) == before


def test_a_dry_run_of_kill_tells_what_becomes_of_the_worker(circusd: Start) -> None:
    daemon = circusd(f"{FOUR}[watcher:rude]\ncmd = {child('ignore_term')}\n")
    daemon.wait_pids("web", 2)
    first, second = (slot["pid"] for slot in daemon.slots("web"))
    (rude,) = wait_until(lambda: ready(daemon.text()))
    daemon.wait_pids("rude", 1)
    before = everything(daemon)
    after = "SIGKILL after 30 s unless it ends, then another takes its place"
    for words, lines in [
        (("web", str(second)), [f"restart  worker web.2  pid {second} gets SIGTERM, {after}"]),
        (("web",), [f"restart  worker web.{wid}  pid {pid} gets SIGTERM, {after}"
                    for wid, pid in enumerate((first, second), 1)]),
        (("web", str(first), "--signum", "KILL"),
         [f"restart  worker web.1  pid {first} gets SIGKILL, then another takes its place"]),
        (("idle",), ["nothing to do"]),
    ]:  # fmt: skip
        told = daemon.ctl("kill", "--dry-run", *words)
        assert (sorted(told.stdout.splitlines()), told.returncode) == (lines, 0)
    assert everything(daemon) == before
    daemon.call("kill", name="rude")
    told = daemon.ctl("kill", "--dry-run", "rude", str(rude))
    assert told.stdout == "nothing  worker rude.1  it is stopping already\n"
    told = daemon.ctl("kill", "--dry-run", "rude", "--signum", "INT", "--graceful_timeout", "0.5")
    assert told.stdout == (
        f"stop  worker rude.1  it is stopping already, pid {rude} gets SIGINT, "
        "SIGKILL after 0.5 s at the latest\n"
    )
    assert daemon.call("kill", name="rude", graceful_timeout=0, waiting=True)["status"] == "ok"


def test_t10_watchers_change_in_the_order_that_they_need(circusd: Start) -> None:
    chain = "".join(
        f"[watcher:w{n}]\ncmd = {child('print_signals')}\nready_after = 0.01\n"
        + (f"requires = w{n + 1}\n" if n < 9 else "")
        for n in range(10)
    )
    daemon = circusd(chain)
    for n in range(10):
        daemon.wait_pids(f"w{n}", 1)
    told: list[tuple[str, str]] = []
    with events(daemon, told):
        daemon.write(chain + "[env:w*]\nNEW = 1\n")
        assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
        wait_until(lambda: len(spawned(told)) >= 10)
    assert spawned(told)[:10] == [f"w{n}" for n in range(9, -1, -1)]


def spawned(told: list[tuple[str, str]]) -> list[str]:
    return [name for name, what in told if what == "spawn"]


def test_a_restart_is_told_as_a_stop_and_a_start(circusd: Start) -> None:
    daemon = circusd("[watcher:w0]\ncmd = sleep 1000\n")
    told: list[tuple[str, str]] = []
    with events(daemon, told):
        assert daemon.call("restart", name="w0", waiting=True)["status"] == "ok"
        wait_until(lambda: ("w0", "start") in told)
    assert [what for _, what in told if what in ("stop", "start")] == ["stop", "start"]


@contextlib.contextmanager
def events(daemon: Daemon, told: list[tuple[str, str]]) -> Iterator[None]:
    """What is told meanwhile: name of the watcher, event."""
    import zmq

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    sub = context.socket(zmq.SUB)
    sub.subscribe("watcher.")
    sub.connect(f"ipc://{daemon.folder}/pubsub")
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            if sub.poll(20):
                topic, _ = sub.recv_multipart()
                _, name, what = topic.decode().split(".")
                told.append((name, what))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        # until a subscription is there, events pass by
        wait_until(lambda: daemon.call("kill", name="w0", waiting=True) and spawned(told))
        told.clear()
        yield
    finally:
        ended.set()
        thread.join()
        context.destroy(linger=0)


def test_t12_the_level_of_the_log_changes_and_no_worker_does(circusd: Start) -> None:
    daemon = circusd(f"[circus]\nloglevel = warning\n{FOUR}")
    before = daemon.wait_pids("web", 2), daemon.wait_pids("db", 1)
    assert "started" not in daemon.text()
    daemon.write(f"[circus]\nloglevel = info\n{FOUR}")
    assert steps(plan(daemon)) == {"circus": ("live", ["loglevel"])}
    daemon.call("reloadconfig", waiting=True)
    daemon.call("stop", name="db", waiting=True)
    assert "db stopped" in daemon.text()
    assert (daemon.pids("web"), daemon.call("status", name="web")["status"]) == (
        before[0], "active",
    )  # fmt: skip
    assert json.loads(daemon.ctl("--json", "plan").stdout)["steps"] == []


def test_who_was_stopped_meanwhile_is_not_replaced(circusd: Start) -> None:
    text = (
        "[watcher:app]\ncmd = sleep 1000\nrequires = db\n[watcher:db]\ncmd = CMD\n"
        "shell = True\ngraceful_timeout = 60\n"
    )
    daemon = circusd(text.replace("CMD", "trap '' TERM; mkfifo FOLDER/gate; read x < FOLDER/gate"))
    wait_until((daemon.folder / "gate").exists)
    daemon.write(text.replace("CMD", "exec sleep 2000").replace("1000", "1001"))
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(daemon.ctl, "reloadconfig", "--waiting")
        wait_until(lambda: "stopping" in {slot["state"] for slot in daemon.slots("db")})
        assert daemon.call("stop", name="app", waiting=True)["status"] == "ok"
        (daemon.folder / "gate").write_text("\n")
        assert asked.result().stdout == "ok\n"
    assert daemon.statuses() == {"app": "stopped", "db": "active"}
    assert daemon.call("get", name="app", keys=["cmd"])["options"] == {"cmd": "sleep 1001"}
