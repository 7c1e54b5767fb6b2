"""Arbiters, watchers and what programs that are written for circus 0.19 do with them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import circus
from circus import ArbiterHandler, get_arbiter
from circus.arbiter import Arbiter, ThreadedArbiter
from circus.client import CircusClient
from circus.exc import AlreadyExist, CircusError, ConfigError, ConflictError
from circus.sockets import CircusSocket
from circus.util import check_future_exception_and_log
from circus.watcher import Watcher
from tests.compat.programs import SLEEP
from tests.support import alive, text_of, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("home")


class ExceptionalArbiter(Arbiter):
    """As BentoML and NVIDIA Dynamo subclass it."""

    def __init__(
        self,
        watchers: list[Watcher],
        endpoint: str | None = None,
        pubsub_endpoint: str | None = None,
        check_delay: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(
            watchers,
            endpoint=endpoint,
            pubsub_endpoint=pubsub_endpoint,
            check_delay=check_delay,
            **options,
        )
        self.exit_event = threading.Event()
        self.exit = False

    def start(self, cb: Any = None) -> Any:
        self.exit_event.clear()
        future = super().start(cb)
        if error := future.exception():
            raise error
        return future

    def stop(self) -> Any:
        self.exit = True
        self.exit_event.set()
        return super().stop()


def test_a_subclass_is_started_in_a_thread_and_stopped_from_another() -> None:
    watcher = Watcher(
        name="api",
        cmd="sleep",
        args=["3600"],
        copy_env=True,
        stop_children=True,
        use_sockets=True,
        working_dir="/",
        env={"MODEL": "small"},
    )
    sock = CircusSocket(name="http", host="127.0.0.1", port=0)
    arbiter = ExceptionalArbiter([watcher], check_delay=10, sockets=[sock])
    outcomes: list[Any] = []
    ready = threading.Event()

    def started(outcome: Any) -> None:
        outcomes.append(outcome)
        ready.set()

    thread = threading.Thread(target=lambda: outcomes.append(arbiter.start(started)))
    thread.start()
    assert ready.wait(20)
    assert arbiter.running
    assert arbiter.get_watcher("api") is watcher
    assert len(watcher) == 1
    assert arbiter.get_socket("HTTP") is sock
    (pid,) = watcher.pids()
    arbiter.stop()
    thread.join(20)
    assert not alive(pid)
    assert [one.exception() for one in outcomes] == [None, None]
    assert outcomes[1].result() is False
    assert (arbiter.running, arbiter.exit, arbiter._restarting) == (False, True, False)


def test_an_arbiter_as_aiida_runs_it(home: Path) -> None:
    log = home / "worker.log"
    arbiter = get_arbiter(
        controller=f"ipc://{home}/c.sock",
        pubsub_endpoint=f"ipc://{home}/p.sock",
        stats_endpoint=f"ipc://{home}/s.sock",
        logoutput="-",
        loglevel="INFO",
        debug=False,
        statsd=True,
        pidfile=str(home / "aiida.pid"),
        watchers=[
            {
                "cmd": "echo hello; exec sleep 3600",
                "shell": True,
                "name": "aiida",
                "numprocesses": 1,
                "virtualenv": None,
                "copy_env": True,
                "stdout_stream": {"class": "FileStream", "filename": str(log)},
                "env": {"PYTHONUNBUFFERED": "true"},
            }
        ],
    )
    assert (arbiter.pidfile, arbiter.logoutput, arbiter.loglevel) == (
        str(home / "aiida.pid"),
        "-",
        "info",
    )
    assert arbiter.loggerconfig is None

    def look() -> None:
        wait_until(lambda: text_of(log) == "hello\n")
        arbiter.stop()

    thread = threading.Thread(target=look)
    thread.start()
    future = arbiter.start()
    thread.join()
    assert check_future_exception_and_log(future) is None
    assert arbiter._restarting is False
    arbiter.loop.run_sync(arbiter._emergency_stop)


def test_three_ways_to_ask_for_watchers() -> None:
    made = [
        get_arbiter("/bin/sleep 3600", 4),
        get_arbiter({"cmd": "sleep 3600", "numprocesses": 3}),
        get_arbiter([{"cmd": "sleep 1"}, {"cmd": "/bin/cat", "name": "reader"}]),
    ]
    found = [[(one.name, one.numprocesses) for one in arbiter.watchers] for arbiter in made]
    assert found == [[("sleep", 4)], [("sleep", 3)], [("sleep", 1), ("reader", 1)]]


def test_a_handler_may_choose_the_class() -> None:
    class Handler(ArbiterHandler):
        def _get_arbiter_klass(self, background: bool) -> type[Arbiter]:  # noqa: FBT001
            return ExceptionalArbiter

    assert isinstance(Handler()([]), ExceptionalArbiter)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cmd": ""}, "a watcher needs a name"),
        ({"cmd": "sleep 1", "numprocesses": "many"}, "numprocesses: 'many' is not a whole number"),
    ],
)
def test_a_wrong_watcher_is_refused_in_words(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        get_arbiter(given)


def test_a_wrong_option_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="unknown option 'endpoint_owners', did you mean"):
        Arbiter([], endpoint_owners="me")
    with pytest.raises(ConfigError, match="there are two watchers 'Web'"):
        Arbiter([Watcher("web", "sleep 1"), Watcher("Web", "sleep 1")])


def test_sockets_may_be_a_mapping() -> None:
    web = CircusSocket("web", host="127.0.0.1", port=0)
    for sockets in ([web], {"web": web}):
        arbiter = Arbiter([Watcher("w", "sleep 1")], sockets=sockets)
        assert dict(arbiter.sockets) == {"web": web}
    web.close()


def test_what_cannot_be_bound_is_raised(arbiter: ThreadedArbiter) -> None:
    second = get_arbiter(dict(SLEEP), background=True)
    with pytest.raises(ConflictError, match="another circusd"):
        second.start()
    assert not second.running
    second.stop()
    with pytest.raises(ConflictError, match="another circusd"):
        get_arbiter(dict(SLEEP)).start()


def test_actions_from_a_thread_need_nobody_who_awaits_them(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("WEB")
    watcher.stop()
    wait_until(lambda: watcher.status() == "stopped")
    assert watcher.start().result(timeout=20)["kept"] == []
    assert watcher.incr().result(timeout=20) == {"numprocesses": 3}
    assert arbiter.numprocesses() == 3
    before = set(watcher.pids())
    arbiter.reload(sequential=True).result(timeout=20)
    assert not before & set(watcher.pids())
    arbiter.stop_watchers().result(timeout=20)
    assert arbiter.statuses() == {"web": "stopped"}
    arbiter.start_watcher(watcher).result(timeout=20)
    assert watcher.is_active()


def test_watchers_come_and_go(arbiter: ThreadedArbiter) -> None:
    added = arbiter.add_watcher("New", "sleep 3600", numprocesses=1, priority=-1)
    with pytest.raises(AlreadyExist):
        arbiter.add_watcher("new", "sleep 3600")
    assert arbiter.numwatchers() == 2
    assert [one.name for one in arbiter.iter_watchers()] == ["web", "New"]
    assert [one.name for one in arbiter.iter_watchers(reverse=False)] == ["New", "web"]
    arbiter.start_watcher(added).result(timeout=20)
    (pid,) = added.pids()
    arbiter.rm_watcher("new").result(timeout=20)
    assert not alive(pid)
    with pytest.raises(KeyError):
        arbiter.get_watcher("new")
    with pytest.raises(ConflictError):
        added.start().result(timeout=20)


def test_a_dead_worker_is_replaced_without_sigchld(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    pid = watcher.pids()[0]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in watcher.pids() and len(watcher) == 2)
    assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL


def test_children_of_the_program_stay_its_own(arbiter: ThreadedArbiter) -> None:
    mine = subprocess.Popen(["sh", "-c", "exit 7"])
    os.kill(arbiter.get_watcher("web").pids()[0], signal.SIGKILL)
    wait_until(lambda: not alive(mine.pid))
    assert arbiter.door.ask(lambda: "still at work") == "still at work"
    assert mine.wait(timeout=20) == 7


def test_clients_find_it(arbiter: ThreadedArbiter) -> None:
    client = CircusClient(endpoint=arbiter.endpoint)
    assert client.send_message("list")["watchers"] == ["web"]
    assert client.send_message("restart")["status"] == "error"  # there is no file to start from
    assert client.send_message("quit")["status"] == "ok"
    client.stop()
    wait_until(lambda: not arbiter.running)


def test_a_stop_before_the_start_counts() -> None:
    arbiter = get_arbiter(dict(SLEEP))
    arbiter.stop()
    assert arbiter.start().result() is False
    # and only once
    arbiter.stop()
    threading.Thread(target=lambda: (wait_until(lambda: arbiter.running), arbiter.stop())).start()
    assert arbiter.start().result() is False


def test_an_arbiter_can_be_started_again(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    before = watcher.pids()
    arbiter.stop()
    assert not any(map(alive, before))
    arbiter.start()
    wait_until(lambda: arbiter.statuses() == {"web": "active"})
    assert arbiter.get_watcher("web") is watcher
    assert not set(before) & set(watcher.pids())


def test_wishes_before_the_start_are_carried_out() -> None:
    watcher = Watcher("web", "sleep 3600", autostart=False)
    arbiter = Arbiter([watcher])
    wish = watcher.start()
    assert (watcher.status(), len(watcher), watcher.pids()) == ("stopped", 0, [])
    wish.add_done_callback(lambda _: arbiter.stop())
    arbiter.start()
    assert len(wish.result()["started"]) == 1


def test_signals_are_given_back_and_those_of_the_program_left_alone() -> None:
    def mine(_signum: int, _frame: object) -> None:
        got.append("mine")
        arbiter.stop()

    got: list[str] = []
    arbiter = get_arbiter(dict(SLEEP))
    previous = signal.signal(signal.SIGUSR1, mine)
    before = {one: signal.getsignal(one) for one in signal.valid_signals()}
    try:
        arbiter.start(cb=lambda _: os.kill(os.getpid(), signal.SIGUSR1))
        assert got == ["mine"]
        assert {one: signal.getsignal(one) for one in signal.valid_signals()} == before
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_in_a_loop_that_is_given() -> None:
    async def main() -> None:
        arbiter = Arbiter([Watcher("web", "sleep 3600")], loop=asyncio.get_running_loop())
        assert await arbiter.start() is False
        assert arbiter.statuses() == {"web": "active"}
        called: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        arbiter.loop.add_callback(called.set_result, 1)
        assert await called == 1
        await arbiter.stop()
        assert not arbiter.running

    asyncio.run(main())


def test_a_loop_of_tornados_is_taken_by_what_is_below_it() -> None:
    class IOLoop:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self.asyncio_loop = loop

    async def main() -> None:
        arbiter = Arbiter([], loop=IOLoop(asyncio.get_running_loop()))
        await arbiter.start()
        await arbiter.stop()
        assert not arbiter.running

    asyncio.run(main())


def test_a_hook_gets_objects_that_it_may_use(home: Path) -> None:
    seen: list[object] = []

    def before_start(watcher: Watcher, arbiter: Arbiter, hook_name: str) -> bool:
        seen.append((watcher.name, watcher.env["KEY"], dict(watcher.options())["priority"]))
        seen.append((arbiter.get_watcher("other").name, hook_name, watcher.arbiter is arbiter))
        arbiter.get_watcher("other").start()
        return True

    arbiter = get_arbiter(
        [
            {
                "name": "hooked",
                "cmd": "sleep 3600",
                "env": {"KEY": "value"},
                "hooks": {"before_start": (before_start, False)},
            },
            {"name": "other", "cmd": "sleep 3600", "autostart": False},
        ],
        background=True,
    )
    arbiter.start()
    wait_until(lambda: arbiter.statuses() == {"hooked": "active", "other": "active"})
    arbiter.stop()
    assert seen == [("hooked", "value", 0), ("other", "before_start", True)]


def test_options_are_attributes_and_can_be_set(arbiter: ThreadedArbiter) -> None:
    watcher: Any = arbiter.get_watcher("web")
    assert (watcher.graceful_timeout, watcher.cmd, watcher.res_name) == (30.0, "sleep 3600", "web")
    assert "graceful_timeout" in watcher.optnames
    assert watcher.set_opt("graceful_timeout", "5") == 0
    assert watcher.set_opt("graceful_timeout", 5) == -1
    assert watcher.graceful_timeout == 5
    assert watcher.set_opt("env", {"A": "1"}) == 1
    before = watcher.get_active_pids()
    watcher.do_action(1).result(timeout=20)
    assert not set(before) & set(watcher.get_active_pids())
    with pytest.raises(CircusError, match="is not a number"):
        watcher.set_opt("graceful_timeout", "soon")
    with pytest.raises(AttributeError):
        _ = watcher.no_such_thing


def test_a_copied_environment_is_that_of_the_program() -> None:
    assert Watcher("web", "sleep 1", copy_env=True).env == dict(os.environ)
    assert Watcher("web", "sleep 1", env={"A": "1"}).env == {"A": "1"}
    watcher = Watcher.load_from_config({"name": "web", "cmd": "sleep 1", "rlimit_nofile": "500"})
    assert dict(watcher.options())["rlimit_nofile"] == 500


def test_circus_itself_is_cheap_to_import() -> None:
    code = "import circus, sys; print(circus.__version__, [m for m in sys.modules if 'zmq' in m])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == f"{circus.__version__} []\n"


def test_a_file_is_loaded_and_read_again(home: Path) -> None:
    path = home / "circus.ini"
    path.write_text("[watcher:one]\ncmd = sleep 3600\n")
    arbiter = ThreadedArbiter.load_from_config(str(path))
    assert [one.name for one in arbiter.watchers] == ["one"]
    arbiter.start()
    path.write_text("[watcher:two]\ncmd = sleep 3600\n")
    arbiter.reload_from_config().result(timeout=20)
    wait_until(lambda: arbiter.statuses() == {"two": "active"})
    arbiter.stop()
