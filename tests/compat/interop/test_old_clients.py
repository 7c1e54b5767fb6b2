"""Programs that use the clients of circus 0.19.0 talk to our circusd."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus.exc import ERRNO
from tests.compat.interop.peer import SOCKET, WATCHERS, Old, Script, free_tcp_endpoint
from tests.support import Daemon, alive, child, children, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = f"""{WATCHERS}[watcher:tree]
cmd = sh -c "{child("print_signals")} & {child("print_signals")} & wait"
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/tree.log
graceful_timeout = 0.2
{SOCKET}"""


@pytest.fixture(scope="module", params=["ipc", "tcp"])
def daemon(request: pytest.FixtureRequest, old: Old) -> Iterator[Daemon]:
    """One that each test leaves as it found it."""
    started = Daemon(CONFIG, endpoint=free_tcp_endpoint() if request.param == "tcp" else None)
    try:
        started.wait()
        wait_until(lambda: started.statuses() == USUAL)
        wait_until(lambda: started.file("tree.log").count("ready") == 2)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def client(daemon: Daemon, old: Old) -> Iterator[Script]:
    """A program with a CircusClient."""
    with old.script("ask.py", "sync", daemon.endpoint) as script:
        yield script


def error(code: str, reason: str) -> dict[str, Any]:
    """An answer that says no; 0.19 has a number alone for why."""
    return {"status": "error", "reason": reason, "tb": None, "errno": ERRNO[code], "code": code}


OK = {"status": "ok"}
USUAL = {"Web": "active", "off": "stopped", "one": "active", "tree": "active"}


def test_every_question(daemon: Daemon, client: Script) -> None:
    web = daemon.pids("web")
    assert client.ask("list") == OK | {"watchers": ["off", "one", "tree", "web"]}
    assert client.ask("list", name="WEB") == OK | {"pids": web}
    assert client.ask("status", name="off") == {"status": "stopped"}
    assert client.ask("status") == OK | {"statuses": USUAL}
    assert client.ask("numwatchers") == OK | {"numwatchers": 4}
    assert client.ask("numprocesses") == OK | {"numprocesses": 4}
    assert client.ask("numprocesses", name="weB") == OK | {"numprocesses": 2, "watcher_name": "weB"}
    options = client.ask("globaloptions")["options"]
    assert (options["endpoint"], options["check_delay"]) == (daemon.endpoint, 5.0)
    assert client.ask("globaloptions", option="check_delay")["options"] == {"check_delay": 5.0}
    options = client.ask("options", name="one")["options"]
    assert (options["cmd"], options["singleton"], options["uid"]) == ("sleep 3602", True, None)
    got = client.ask("get", name="web", keys=["numprocesses", "env"])
    assert got == OK | {"options": {"numprocesses": 2, "env": {}}}
    sockets = client.ask("listsockets")["sockets"]
    assert [(one["name"], one["host"]) for one in sockets] == [("web", "127.0.0.1")]
    assert {"fd", "port", "backlog"} <= sockets[0].keys()


def test_stats(daemon: Daemon, client: Script) -> None:
    web = daemon.pids("web")
    of_all = client.ask("stats")["infos"]
    assert {name: len(of_all[name]) for name in of_all} == {"Web": 2, "off": 0, "one": 1, "tree": 1}
    of_one = client.ask("stats", name="web")
    assert (of_one["name"], list(of_one["info"])) == ("web", [str(pid) for pid in web])
    of_pid = client.ask("stats", name="web", process=web[0])
    assert of_pid["process"] == web[0]
    info = of_pid["info"]
    assert info.keys() >= {
        "pid", "cmdline", "username", "nice", "mem_info1", "mem_info2", "cpu", "mem", "ctime",
        "age", "create_time", "children",
    }  # fmt: skip
    assert (info["pid"], info["cmdline"]) == (web[0], "sleep")
    assert client.ask("dstats")["info"]["pid"] == daemon.process.pid


def test_every_change_without_waiting(daemon: Daemon, client: Script) -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("incr", {"name": "web"}),
        ("decr", {"name": "web"}),
        ("start", {"name": "off"}),
        ("stop", {"name": "off"}),
        ("restart", {"name": "web"}),
        ("reload", {"name": "web"}),
        ("signal", {"name": "web", "signum": signal.SIGCONT}),
        ("kill", {"name": "one"}),
        ("add", {"name": "new", "cmd": "sleep", "args": ["3606"], "start": True}),
        ("set", {"name": "new", "options": {"numprocesses": 2, "env": {"A": "1"}}}),
        ("rm", {"name": "new"}),
        ("reloadconfig", {}),
        ("stop", {}),
        ("start", {}),
        ("reload", {}),
    ]
    for command, properties in changes:
        assert client.ask(command, **properties) == OK, command
    wait_until(lambda: daemon.statuses() == USUAL)
    daemon.wait_pids("web", 2)
    assert daemon.call("wait", names=["web", "one", "tree"], until="settled")["status"] == "ok"


def test_every_change_with_waiting(daemon: Daemon, client: Script) -> None:
    first = daemon.pids("web")
    assert client.ask("incr", name="web", waiting=True) == OK | {"numprocesses": 3}
    assert client.ask("decr", name="web", nb=1, waiting=True) == OK | {"numprocesses": 2}
    started = client.ask("start", name="off", waiting=True)
    assert started == OK | {"info": {"started": daemon.pids("off"), "kept": []}}
    assert client.ask("stop", name="off", waiting=True) == OK | {"info": None}
    for command in ("restart", "reload"):
        before = daemon.pids("web")
        info = client.ask(command, name="web", waiting=True)["info"]
        after = daemon.pids("web")
        assert info == {"stopped": sorted(before), "started": sorted(after), "kept": []}
    assert not set(first) & set(daemon.pids("web"))
    (one,) = daemon.pids("one")
    assert client.ask("kill", name="one", pid=one, waiting=True) == OK
    assert daemon.pids("one") != [one]
    assert not alive(one)
    added = client.ask("add", name="New", cmd="sleep 3606", start=True, waiting=True)
    assert added == OK | {"started": daemon.pids("new"), "kept": []}
    assert (
        client.ask("set", name="new", options={"numprocesses": 2}, waiting=True)["status"] == "ok"
    )
    assert len(daemon.pids("new")) == 2
    assert client.ask("rm", name="new", waiting=True)["status"] == "ok"
    assert client.ask("reloadconfig", waiting=True)["status"] == "ok"
    assert client.ask("incr", name="one") == OK | {"numprocesses": 1, "singleton": True}


def test_what_is_refused(daemon: Daemon, client: Script) -> None:
    assert client.ask("nope") == error("unknown-command", "unknown command: 'nope'")
    assert client.ask("list", name="nope") == error("not-found", "program nope not found")
    assert client.ask("incr") == error("message", "message invalid 'name' is missing")
    assert client.ask("globaloptions", option="x") == error("message", "'x' not an existing option")
    assert client.ask("listen") == error("message", "invalid message. use a pub/sub socket")
    assert client.ask("add", name="web", cmd="x")["reason"] == "'web' already exist"
    assert client.ask("add", name="", cmd="x")["errno"] == 3
    assert client.ask("set", name="web", options={"x": 1}) == error("message", "unknown key 'x'")
    assert client.ask("kill", name="nope", waiting=True) == error(
        "not-found", "program nope not found"
    )


def test_what_old_messages_look_like(daemon: Daemon, client: Script) -> None:
    """Spellings of the documentation of both, of circusctl 0.19 and of plugins."""
    (one,) = daemon.pids("one")
    assert client.call({"command": "LIST", "properties": None})["watchers"]
    assert client.call({"command": "list"})["watchers"]
    answer = client.call({"command": "incr", "properties": {"name": "web"}, "waiting": True})
    assert answer == OK | {"numprocesses": 3}
    assert client.ask("decr", name="web", waiting=True, match="glob") == OK | {"numprocesses": 2}
    assert client.ask("globaloptions", keys=["endpoint"])["options"]["endpoint"] == daemon.endpoint
    assert client.ask("signal", name="one", pid=str(one), signum="18") == OK
    assert (
        client.ask("kill", name="one", pid=str(one), signum="SIGINT", graceful_timeout="2.5") == OK
    )
    wait_until(lambda: not alive(one))
    wait_until(lambda: daemon.pids("one"))
    (leader,) = daemon.pids("tree")
    first, second = children(leader)
    assert client.ask("signal", name="tree", pid=leader, child_pid=first, signum="usr1") == OK
    wait_until(lambda: "SIGUSR1" in daemon.file("tree.log"))
    assert client.ask("signal", name="tree", pid=leader, childpid=second, signum=12) == OK
    wait_until(lambda: "SIGUSR2" in daemon.file("tree.log"))
    assert re.findall("SIGUSR.", daemon.file("tree.log")) == [
        "SIGUSR1",
        "SIGUSR2",
    ]  # nobody else got one
    client.tell({"command": "incr", "msg_type": "cast", "properties": {"name": "web"}})
    assert client.hear() == "sent"
    daemon.wait_pids("web", 3)
    assert client.ask("decr", name="web", waiting=True) == OK | {"numprocesses": 2}


def test_the_client_that_is_awaited(daemon: Daemon, old: Old) -> None:
    with old.script("ask.py", "async", daemon.endpoint) as client:
        assert client.ask("list", name="web") == OK | {"pids": daemon.pids("web")}
        assert client.ask("incr", name="web", waiting=True) == OK | {"numprocesses": 3}
        assert client.ask("decr", name="web") == OK
        assert client.ask("stop", name="nope") == error("not-found", "program nope not found")
    daemon.wait_pids("web", 2)


def take_out_what_changes(message: dict[str, Any]) -> None:
    """The time, and what circus 0.19 does not have: number and instance."""
    assert message.pop("time") > 1e9
    assert message.pop("seq") > 0
    assert message.pop("instance")


def test_every_event(daemon: Daemon, old: Old) -> None:
    events = daemon.call("globaloptions")["options"]["pubsub_endpoint"]
    with old.script("consume.py", events, "watcher.") as consumer:

        def heard() -> bool:
            daemon.call("set", name="web", options={"graceful_timeout": 30})
            return consumer.has_begun_to_speak()

        wait_until(heard)
        daemon.call("add", name="New One", cmd="sleep 3606", start=True, waiting=True)
        (pid,) = daemon.pids("new one")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: daemon.pids("new one") not in ([], [pid]))
        (successor,) = daemon.pids("new one")
        daemon.call("reload", name="new one", waiting=True)
        (last,) = daemon.pids("new one")
        daemon.call("set", name="new one", options={"max_retry": 7}, waiting=True)
        daemon.call("rm", name="new one", waiting=True)
        daemon.call("set", name="web", options={"graceful_timeout": 30})
        told: list[tuple[str, dict[str, Any]]] = []
        while not told or told[-1][0] != "watcher.web.updated":
            topic, message = consumer.hear()
            take_out_what_changes(message)
            if topic != "watcher.web.updated" or told:
                told.append((topic.removeprefix("watcher.new_one."), message))
    by_event: dict[str, list[Any]] = {}
    for event, message in told[:-1]:
        by_event.setdefault(event, []).append(message.get("process_pid", message.get("exit_code")))
    assert by_event == {
        "add": [None],
        "start": [None],
        "spawn": [pid, successor, last],
        "reap": [pid, last],  # not of one that a reload replaces
        "kill": [successor, last],
        "reload": [None],
        "updated": [None],
        "stop": [None],
        "remove": [None],
    }
    deaths = [message for event, message in told if event == "reap"]
    killed = {"exit_code": -signal.SIGKILL, "how": "killed by SIGKILL"}
    assert deaths[0] == {"wid": 1, "process_pid": pid, **killed}


HOOKS = """
def yes(watcher, arbiter, hook_name, **given):
    return True

def fails(watcher, arbiter, hook_name, **given):
    raise ValueError("as it was told to")
"""


def test_the_events_of_hooks(old: Old, tmp_path: Path) -> None:
    (tmp_path / "agreeable.py").write_text(HOOKS)
    daemon = Daemon(
        "[watcher:w]\ncmd = sleep 3601\nautostart = False\n"
        "hooks.before_start = agreeable.yes\nhooks.after_start = agreeable.fails,true\n"
        f"[env:w]\nPYTHONPATH = {tmp_path}\n"
    )
    try:
        daemon.wait()
        with old.script("consume.py", f"ipc://{daemon.folder}/pubsub", "watcher.w.") as consumer:

            def heard() -> bool:
                daemon.call("set", name="w", options={"graceful_timeout": 30})
                return consumer.has_begun_to_speak()

            wait_until(heard)
            assert daemon.call("start", name="w", waiting=True)["status"] == "ok"
            told: dict[str, Any] = {}
            while "hook_failure" not in told:
                topic, message = consumer.hear()
                take_out_what_changes(message)
                told[topic.removeprefix("watcher.w.")] = message
        assert told["hook_success"] == {"name": "before_start"}
        assert told["hook_failure"]["name"] == "after_start"
        assert "as it was told to" in told["hook_failure"]["error"]
    finally:
        daemon.stop()


def test_the_calls_of_the_console(daemon: Daemon, client: Script) -> None:
    """What circus-web 1.0 asks, in its order: its first page, a watcher's page, its buttons."""
    assert client.ask("globaloptions")["options"]["stats_endpoint"].startswith("ipc://")
    names = client.ask("list")["watchers"]
    shown = {name: client.ask("options", name=name)["options"] for name in names}
    assert [shown[name]["numprocesses"] for name in names] == [1, 1, 1, 2]
    assert [name for name in names if shown[name]["singleton"]] == ["one"]
    assert not any(shown[name]["use_sockets"] for name in names)
    assert client.ask("listsockets")["sockets"]
    assert client.ask("status")["statuses"]["Web"] == "active"
    assert client.ask("incr", name="web") == OK
    daemon.wait_pids("web", 3)
    assert client.ask("decr", name="web") == OK
    (victim, *_) = daemon.wait_pids("web", 2)
    assert client.ask("signal", name="web", pid=victim, signum=9, recursive=True) == OK
    wait_until(lambda: not alive(victim))
    daemon.wait_pids("web", 2)
    assert client.ask("add", name="app", cmd="sleep 3606", start=True) == OK
    options = {"numprocesses": 2, "working_dir": "/"}
    assert client.ask("set", name="app", options=options) == OK
    wait_until(lambda: [cwd(pid) for pid in daemon.pids("app")] == ["/", "/"])
    assert client.ask("stop", name="app") == OK
    wait_until(lambda: daemon.statuses()["app"] == "stopped")
    assert client.ask("start", name="app") == OK
    wait_until(lambda: daemon.statuses()["app"] == "active")
    assert client.ask("reloadconfig") == OK
    assert client.ask("rm", name="app", waiting=True)["status"] == "ok"


def cwd(pid: int) -> str:
    """The folder that a process is in, as long as there is one."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def test_a_plain_req_socket_gets_answers(daemon: Daemon) -> None:
    """The documentation says REQ and REP, with and without frames before the empty one."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        plain = context.socket(zmq.REQ)
        plain.connect(daemon.endpoint)
        for command in ("list", "status", "nope"):
            plain.send_json({"command": command, "id": command})
            assert plain.poll(20_000)
            assert plain.recv_json()["id"] == command  # type: ignore[index,call-overload]  # of any JSON
        dealer = context.socket(zmq.DEALER)
        dealer.connect(daemon.endpoint)
        for before in ([], [b""], [b"routed", b""]):
            dealer.send_multipart([*before, b'{"command": "numwatchers"}'])
            assert dealer.poll(20_000)
            *frames, answer = dealer.recv_multipart()
            assert frames == before
            assert b'"numwatchers": 4' in answer
    finally:
        context.destroy(linger=0)
