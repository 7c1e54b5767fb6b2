"""circusd-stats, as it comes with circusd and by hand."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus.ctl.keygen import keygen
from circus.reach import unreachable
from circus.stats.client import StatsClient
from tests.standin import Standin, saying
from tests.support import Daemon, as_user, child, free_port, needs_root, ticks, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.daemon.conftest import Start

Told = tuple[str, str | None, dict[str, Any]]
STATS = "[circus]\nstatsd = True\n"
TWO = f"{STATS}[watcher:My web]\ncmd = {child('hungry', 3, 1)}\nnumprocesses = 2\n"
NOBODY = 60099


@contextlib.contextmanager
def listening(daemon: Daemon, *topics: str) -> Iterator[Iterator[Told]]:
    """What a subscriber gets."""
    with listening_in(daemon.folder, *topics) as told:
        yield told


@contextlib.contextmanager
def listening_in(folder: Path, *topics: str) -> Iterator[Iterator[Told]]:
    """The same, by the folder of the sockets."""
    endpoint = f"ipc://{folder}/stats"
    wait_until(lambda: unreachable(endpoint) is None)
    client = StatsClient(endpoint, topics=topics or ("",))
    try:
        yield iter(client)
    finally:
        client.stop()


def until(told: Iterator[Told], *keys: tuple[str, str | None]) -> dict[tuple[str, str | None], Any]:
    """Messages by watcher and pid, once there is one for each of these."""
    found = {}
    for watcher, pid, message in told:
        found[watcher, pid] = message
        if found.keys() >= set(keys):
            break
    return found


def test_it_publishes_what_workers_and_their_children_use(circusd: Start) -> None:
    daemon = circusd(TWO)
    one, two = map(str, daemon.wait_pids("My web", 2))
    (helper,) = daemon.wait_pids("circusd-stats", 1)
    with listening(daemon) as told:
        found = until(told, ("my_web", one), ("my_web", two), ("my_web", None), ("circus", None))
    worker, whole = found["my_web", two], found["my_web", None]
    info = daemon.call("stats", name="My web", process=int(two))["info"]
    assert worker.keys() == (info.keys() - {"started"}) | {"subtopic", "name"}
    assert (worker["subtopic"], worker["name"], worker["wid"]) == (int(two), None, 2)
    assert (worker["username"], worker["cmdline"]) == (info["username"], info["cmdline"])
    assert [below.keys() for below in worker["children"]] == [info["children"][0].keys()]
    assert whole.keys() == {"pid", "cpu", "mem", "age"}
    assert whole["pid"] == [int(one), int(two)]
    own = {message["pid"]: message["name"] for (name, pid), message in found.items()
           if name == "circus" and pid}  # fmt: skip
    assert own == {daemon.process.pid: "circusd", helper: "circusd-stats"}


def test_names_with_dots_and_numbers_are_told_from_pids(circusd: Start) -> None:
    daemon = circusd(f"{STATS}[watcher:web.2]\ncmd = sleep 3600\n")
    (pid,) = daemon.wait_pids("web.2", 1)
    with listening(daemon, "stat.web") as told:
        found = until(told, ("web.2", str(pid)), ("web.2", None))
    assert set(found) == {("web.2", str(pid)), ("web.2", None)}


def test_what_starts_and_ends_is_seen(circusd: Start) -> None:
    daemon = circusd(TWO)
    before = {str(pid) for pid in daemon.wait_pids("My web", 2)}
    with listening(daemon, "stat.my_web") as told:
        until(told, ("my_web", None))
        daemon.call("restart", name="My web", waiting=True)
        after = daemon.wait_pids("My web", 2)
        whole = next(message for _, pid, message in told if not pid and message["pid"] == after)
        assert before.isdisjoint(map(str, whole["pid"]))
        daemon.call("stop", name="My web", waiting=True)
        empty = next(message for _, pid, message in told if not pid and message["pid"] == [])
    assert empty == {"pid": [], "cpu": 0.0, "mem": 0, "age": "N/A"}


def test_nothing_is_done_while_nobody_listens(circusd: Start) -> None:
    """It says so; `debug` is what shows it."""
    daemon = circusd("[circus]\nstatsd = True\ndebug = True\n")
    daemon.wait_pids("circusd-stats", 1)
    with listening(daemon) as told:
        next(told)
        wait_until(lambda: "Somebody listens" in daemon.text())
        assert "Nobody listens" not in daemon.text()
    wait_until(lambda: "Nobody listens" in daemon.text())


def test_connections_to_sockets_are_hits_and_wait_in_queues(circusd: Start) -> None:
    daemon = circusd(
        f"{STATS}[socket:web]\nhost = 127.0.0.1\nport = 0\n[socket:unix]\npath = FOLDER/u\n"
        "[socket:own]\nhost = 127.0.0.1\nport = 0\nso_reuseport = True\n"
    )
    daemon.wait_pids("circusd-stats", 1)
    sockets = {one["name"]: one for one in daemon.call("listsockets")["sockets"]}
    web, unix = str(sockets["web"]["fd"]), str(sockets["unix"]["fd"])
    port = sockets["web"]["port"]
    with listening(daemon, "stat.sockets") as told, contextlib.ExitStack() as stack:
        until(told, ("sockets", None))
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        hit = next(one for _, fd, one in told if fd == web and one["reads"])
        later = next(one for _, fd, one in told if fd == web and not one["reads"])
        found = until(told, ("sockets", unix), ("sockets", None))
    assert hit["address"] == f"127.0.0.1:{port}"
    assert (later["queue"], later["backlog"], later["name"]) == (3, 2048, "web")
    assert (found["sockets", unix]["address"], found["sockets", unix]["queue"]) == (
        f"{daemon.folder}/u", 0,
    )  # fmt: skip
    assert sorted(found["sockets", None]["addresses"]) == sorted(
        [f"127.0.0.1:{port}", f"{daemon.folder}/u"]
    )


def test_t18_a_reload_leaves_circusd_stats_alone(circusd: Start) -> None:
    daemon = circusd(TWO)
    before = daemon.wait_pids("circusd-stats", 1)
    workers = daemon.wait_pids("My web", 2)
    for _ in range(2):
        assert daemon.call("reloadconfig", waiting=True)["steps"] == []
    assert daemon.pids("My web") == workers
    for number in (3, 4):  # others change, come and go
        daemon.write(f"{TWO}[watcher:w{number}]\ncmd = sleep 3600\n[env:My web]\nA = {number}\n")
        assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
        daemon.wait_pids(f"w{number}", 1)
    assert not set(daemon.wait_pids("My web", 2)) & set(workers)
    assert daemon.pids("circusd-stats") == before


def stop_and_start(daemon: Daemon, times: int) -> None:
    """The watcher w."""
    for _ in range(times):
        assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
        assert daemon.call("start", name="w", waiting=True)["status"] == "ok"


def used_by(pids: list[int], work: Callable[[], object]) -> int:
    """The ticks of the processor that these use meanwhile."""
    before = sum(map(ticks, pids))
    work()
    return sum(map(ticks, pids)) - before


@pytest.mark.parametrize("statsd", [False, True])
def test_t30_a_storm_of_starts_leaves_nothing_that_spins(
    circusd: Start,
    statsd: bool,  # noqa: FBT001 a fact about the daemon
) -> None:
    """The last starts cost what the first did; afterwards both programs are at rest."""
    daemon = circusd(
        f"[circus]\nstatsd = {statsd}\n[watcher:w]\ncmd = sleep 3600\nnumprocesses = 5\n"
        "stdout_stream.filename = FOLDER/out\n"
    )
    pids = [daemon.process.pid, *(daemon.wait_pids("circusd-stats", 1) if statsd else ())]

    storm = partial(stop_and_start, daemon, 10)
    first, *_, last = [used_by(pids, storm) for _ in range(5)]
    assert last <= 10 + 2 * first
    # who spins uses a hundred ticks in a second, or as many as it can get
    assert used_by(pids, lambda: subprocess.run(["sleep", "1"], check=True)) <= 10


def test_t30_a_storm_of_starts_costs_little_with_and_without_a_listener(circusd: Start) -> None:
    """Less than it costs circusd itself; and afterwards hardly anything."""
    daemon = circusd(f"{STATS}[watcher:w]\ncmd = sleep 3600\nnumprocesses = 5\n")
    (helper,) = daemon.wait_pids("circusd-stats", 1)

    def storm(times: int) -> tuple[int, int]:
        before = ticks(helper), ticks(daemon.process.pid)
        stop_and_start(daemon, times)
        return ticks(helper) - before[0], ticks(daemon.process.pid) - before[1]

    with listening(daemon) as told:
        next(told)
        used, by_circusd = storm(20)
        assert used <= by_circusd
        rounds = (message for watcher, pid, message in told if (watcher, pid) == ("w", None))
        settled = daemon.pids("w")
        next(message for message in rounds if message["pid"] == settled)
        before = ticks(helper)
        next(rounds)
        next(rounds)
        assert ticks(helper) - before <= 20
    used, by_circusd = storm(100)  # so many that it does not count that somebody has just left
    assert used <= 1 + by_circusd // 10


# -- by hand ------------------------------------------------


@contextlib.contextmanager
def by_hand(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """One that nobody runs as a worker, for the circusd of a folder, where it publishes."""
    at = {name: f"ipc://{folder}/{name}" for name in ("control", "pubsub", "stats")}
    process = subprocess.Popen(
        [sys.executable, "-m", "circus.stats", "--endpoint", at["control"],
         "--pubsub", at["pubsub"], "--statspoint", at["stats"]],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until(lambda: unreachable(at["stats"]) is None)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT", "SIGINT", "SIGTERM"])
def test_these_signals_end_it(circusd: Start, name: str) -> None:
    daemon = circusd("")
    with by_hand(daemon.folder) as process:
        process.send_signal(signal.SIGWINCH)  # but not this one
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=20) == 0
    assert not (daemon.folder / "stats").exists()


def test_it_goes_on_when_circusd_comes_back(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    (pid,) = daemon.wait_pids("w", 1)
    with by_hand(daemon.folder), listening(daemon, "stat.w") as told:
        until(told, ("w", str(pid)))
        daemon.process.kill()
        daemon.process.wait()
        os.kill(pid, signal.SIGKILL)
        daemon.begin()
        (after,) = daemon.wait().wait_pids("w", 1)
        until(told, ("w", str(after)))


def test_one_that_waits_for_an_answer_ends_at_once(circusd: Start) -> None:
    daemon = circusd("")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        with by_hand(daemon.folder) as process, listening(daemon) as told:
            next(told)  # of its own, after it has waited for circusd as long as a round may
            process.terminate()
            _, log = process.communicate(timeout=60)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert "circusd does not tell" not in log


def test_what_circusd_refuses_to_tell_is_said_once(tmp_path: Path) -> None:
    refusal = saying(status="error", reason="denied: you may not")
    with (
        Standin(tmp_path / "control", refusal) as refuser,
        by_hand(tmp_path) as process,
        listening_in(tmp_path),
    ):
        wait_until(lambda: refuser.asked > 2)
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert log.count("circusd does not tell who there is: denied: you may not\n") == 1


def test_a_taken_endpoint_is_one_clear_line(circusd: Start) -> None:
    daemon = circusd(STATS)
    endpoint = f"ipc://{daemon.folder}/stats"
    wait_until(lambda: unreachable(endpoint) is None)
    ended = subprocess.run(
        [sys.executable, "-m", "circus.stats", "--statspoint", endpoint],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"circusd-stats: cannot bind the stats endpoint {endpoint}: ")
    assert ended.stderr.count("\n") == 1


# -- who may listen ------------------------------------------------


@needs_root
def test_who_may_look_at_circusd_hears_its_statistics(circusd: Start) -> None:
    daemon = circusd(f"{STATS}read_users = {NOBODY}\n")
    daemon.folder.chmod(0o755)
    endpoint = f"ipc://{daemon.folder}/stats"
    wait_until(lambda: unreachable(endpoint) is None)
    assert (daemon.folder / "stats").stat().st_mode & 0o777 == 0o666
    assert hears(NOBODY, endpoint, within=20_000)
    assert not hears(NOBODY + 1, endpoint, within=2500)


@needs_root
def test_who_is_let_in_and_shut_out_at_run_time_is_so_by_statistics_too(circusd: Start) -> None:
    daemon = circusd(f"{STATS}[watcher:w]\ncmd = sleep 3600\n")
    daemon.folder.chmod(0o755)
    daemon.wait_pids("w", 1)
    endpoint = f"ipc://{daemon.folder}/stats"

    def guests() -> list[str]:
        env = daemon.call("get", name="circusd-stats", keys=["env"])["options"]["env"]
        found: list[str] = json.loads(env["CIRCUS_STATS"])["grants"]["read_users"]
        return found

    assert guests() == []
    daemon.call("set", name="w", options={"operate_users": str(NOBODY)}, waiting=True)
    wait_until(lambda: guests() == [str(NOBODY)])
    assert hears(NOBODY, endpoint, within=20_000)
    daemon.call("add", name="x", cmd="sleep 9", options={"operate_users": "60098"}, waiting=True)
    wait_until(lambda: guests() == ["60098", str(NOBODY)])
    assert daemon.call("plan")["steps"] == []  # the file knows of neither, and takes nothing away
    daemon.call("rm", name="x", waiting=True)
    daemon.call("set", name="w", options={"operate_users": ""}, waiting=True)
    wait_until(lambda: guests() == [])
    assert not hears(NOBODY, endpoint, within=2500)


def test_nobody_else_can_open_it_unless_somebody_is_named(circusd: Start) -> None:
    daemon = circusd(STATS)
    path = daemon.folder / "stats"
    wait_until(path.exists)
    assert path.stat().st_mode & 0o777 == 0o600


def hears(uid: int, endpoint: str, *, within: int) -> bool:
    """Whether that user gets anything within so many milliseconds."""
    command = [*as_user(uid, uid), "hear", endpoint, str(within)]
    return subprocess.run(command, timeout=60, check=False).returncode == 0


def test_keys_are_asked_for_where_it_is_tcp(tmp_path: Path) -> None:
    keygen(str(tmp_path / "keys"), "looker", "read")
    key = str(tmp_path / "keys" / "looker.key_secret")
    ports = [free_port() for _ in range(3)]
    control, pubsub, stats = (f"tcp://127.0.0.1:{port}" for port in ports)
    daemon = Daemon(
        f"[circus]\nendpoint = {control}\npubsub_endpoint = {pubsub}\nstats_endpoint = {stats}\n"
        f"curve = True\ncurve_keys = {tmp_path}/keys\n[watcher:w]\ncmd = sleep 3600\n"
    )
    try:
        wait_until(lambda: unreachable(stats) is None)
        client = StatsClient(stats, curve_key=key, topics=("stat.w",))
        with zmq.Context() as context, context.socket(zmq.SUB) as stranger:
            stranger.subscribe(b"")
            stranger.connect(stats)
            told = iter(client)
            assert {next(told)[0], next(told)[0]} == {"w"}
            assert not stranger.poll(0)
        client.stop()
    finally:
        daemon.stop()


def test_messages_are_json_in_two_frames(circusd: Start) -> None:
    daemon = circusd(STATS)
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.subscribe(b"stat.circus.")
        sock.connect(f"ipc://{daemon.folder}/stats")
        topic, message = sock.recv_multipart()
    assert topic.startswith(b"stat.circus.")
    assert json.loads(message)["name"] in ("circusd", "circusd-stats")
