"""Every configuration sample of the documentation, as it stands there, does what is said of it.

Programs that this machine does not have are stood for by tests/children/sample.py, the ports by
free ones; so is Redis, for the hooks. The web console and the statistics that some samples ask for
are accepted here, with a warning that this version does not run them.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.client import CircusClient
from tests.support import Daemon, free_port, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[1] / "compat" / "ini"
NAMES = sorted(path.stem.removeprefix("seed-") for path in SAMPLES.glob("seed-*.ini"))
PROGRAMS = (
    "python", "another_program", "ping", "make-me-a-coffee", "redis-server", "chaussette",
    "mycoolscript", "script.py",
)  # fmt: skip
PORTS = ("5555", "5556", "5557", "8080", "8888", "8000")
WITH_CONSOLE = ("httpd", "httpd-options", "ipc-httpd")


CHECK_REDIS = """
import redis
import time

def check_redis(*args, **kw):
    time.sleep(.5)  # give it a chance to start
    r = redis.StrictRedis(host='localhost', port=6379, db=0)
    r.set('foo', 'bar')
    return r.get('foo') == 'bar'
"""
"""As it stands there."""
NETWORK_SCRIPT = """
import socket
import sys

fd = int(sys.argv[1])   # getting the FD from circus
sock = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)

# dealing with one request at a time
while True:
    conn, addr = sock.accept()
    request = conn.recv(1024)
    response = request.upper()
    conn.sendall(response)
    conn.close()
"""
"""The same, with what it leaves out."""
REDIS = """
from pathlib import Path

class StrictRedis(dict):
    def __init__(self, **where):
        Path(__file__).with_name("asked").write_text(repr(where))

    def set(self, key, value):
        self[key] = value
"""
MODULES = {
    "redis.py": REDIS,
    "mycoolapp/myplugins.py": CHECK_REDIS,
    "myproject/plugins.py": (SAMPLES / "seed-logger.py.txt").read_text(),
    "my/hooks.py": CHECK_REDIS.replace("check_redis", "control_redis"),
}


class Samples:
    """Makes samples runnable, and runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[Daemon] = []
        self.ports = {port: str(free_port()) for port in PORTS}
        (folder / "told").mkdir()
        (folder / "bin").mkdir()
        code = (Path(__file__).parents[1] / "children" / "sample.py").read_text()
        for name in PROGRAMS:
            program = folder / "bin" / name
            program.write_text(f"#!{sys.executable} -SI\n{code}")
            program.chmod(0o755)
        for path, code in MODULES.items():
            module = folder / "modules" / path
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_text(code)

    def text(self, name: str) -> str:
        text = (SAMPLES / f"seed-{name}.ini").read_text(encoding="utf-8")
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        text = text.replace("/path/to/script.py", "script.py")
        if name == "coffee":  # a line on its own; its program is looked up, as it stands there
            return f"[watcher:coffee]\n{text}[env]\nPATH = {self.folder}/bin\n"
        text = re.sub(r"^cmd = ", rf"cmd = {self.folder}/bin/", text, flags=re.MULTILINE)
        text = text.replace("ipc:///var/circus", f"ipc://{self.folder}")
        text = re.sub("/path/to/configs|/var/myproject", str(self.folder), text)
        return text.replace("...\n", "")  # stands for what the sample leaves out

    def run(self, name: str) -> Daemon:
        """Returns once it answers, at the endpoint that the sample gives."""
        daemon = Daemon(self.text(name))
        self.daemons.append(daemon)
        waiting = "Arbiter now waiting for commands"
        wait_until(lambda: waiting in daemon.text() or daemon.process.poll() is not None)
        assert daemon.process.poll() is None, daemon.text()
        if (written := re.search(r"^endpoint = (\S+)", self.text(name), re.MULTILINE)) is not None:
            daemon.client.stop()
            daemon.endpoint = written[1]
            daemon.client = CircusClient(endpoint=written[1], timeout=30.0)
        assert daemon.call("numwatchers")["status"] == "ok"
        return daemon

    def workers(self, daemon: Daemon, name: str, count: int) -> dict[int, list[str]]:
        """The arguments of each worker, by pid, once all have told theirs."""
        pids = daemon.wait_pids(name, count)
        told = {pid: self.folder / "told" / f"{pid}.json" for pid in pids}
        wait_until(lambda: all(path.exists() for path in told.values()))
        return {pid: json.loads(path.read_text()) for pid, path in told.items()}

    def served_by(self, port: str, wanted: set[int]) -> None:
        """Returns once each of these has answered a connection, and nobody else has."""
        found: set[int] = set()

        def everyone() -> bool:
            with socket.create_connection(("127.0.0.1", int(self.ports[port])), timeout=20) as one:
                found.add(int(one.recv(20)))
            return found >= wanted

        wait_until(everyone)
        assert found == wanted


def environ(pid: int) -> dict[str, str]:
    """As it was started with, but for our own mark and what is told of sockets."""
    text = Path(f"/proc/{pid}/environ").read_text()
    pairs = (item.partition("=") for item in text.split("\0") if item)
    ours = ("CIRCUS_WORKER", "LISTEN_")
    return {name: value for name, _, value in pairs if not name.startswith(ours)}


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Samples]:
    made = Samples(tmp_path)
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "modules"), known]))
    yield made
    for daemon in made.daemons:
        daemon.stop()


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_passes_the_check(samples: Samples, tmp_path: Path, name: str) -> None:
    file = tmp_path / "example.ini"
    file.write_text(samples.text(name), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SUGAR_AMOUNT": "3"},
    )
    assert (ended.returncode, ended.stdout[:25]) == (0, f"{file}: ok"[:25]), ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_starts(samples: Samples, name: str) -> None:
    daemon = samples.run(name)
    assert ("circushttpd" in daemon.json("status")["statuses"]) == (name in WITH_CONSOLE)


def test_the_first_sample_runs_two_programs(samples: Samples) -> None:
    daemon = samples.run("first")
    found = samples.workers(daemon, "myprogram", 5)
    assert sorted(found.values()) == [["-u", "myprogram.py", str(wid)] for wid in range(1, 6)]
    assert list(samples.workers(daemon, "anotherprogram", 2).values()) == [[], []]


def test_the_big_sample_means_what_it_shows(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAR", "from circusd")
    included = samples.folder / "one.enabled.ini"
    included.write_text(f"[watcher:included]\ncmd = {samples.folder}/bin/ping\n")
    (samples.folder / "two.disabled.ini").write_text("[watcher:not]\ncmd = nothing\n")
    daemon = samples.run("big")
    assert daemon.call("list")["watchers"] == ["included", "myprogram", "plugin:statsd"]
    found = samples.workers(daemon, "myprogram", 5)
    # one variable, split into words like everything that stands in args
    expected = [["-u", "myprogram.py", str(wid), "from", "circusd"] for wid in range(1, 6)]
    assert sorted(found.values()) == expected
    for pid in found:
        assert environ(pid) == {"PATH": f"{os.environ['PATH']}:/bin", "CAKE": "lie"}
    # what stands below the indented section belongs to the watcher again
    options = daemon.call("options", name="myprogram")["options"]
    assert options["stdout_stream.class"] == "FileStream"
    assert options["stdout_stream.max_bytes"] == "1073741824"
    assert options["stdout_stream.backup_count"] == "5"
    assert options["hooks.before_start"] == ["my.hooks.control_redis", False]
    log = daemon.folder / "test.log"
    wait_until(lambda: all(f"ready {pid}\n" in text_of(log) for pid in found))
    with socket.create_connection(("localhost", int(samples.ports["8080"])), timeout=20):
        pass


def test_the_hook_is_asked_before_its_watcher_starts(samples: Samples) -> None:
    daemon = samples.run("hooks")
    (worker,) = samples.workers(daemon, "queue-worker", 1)
    asked = samples.folder / "modules" / "asked"
    assert asked.read_text() == "{'host': 'localhost', 'port': 6379, 'db': 0}"
    assert asked.stat().st_mtime <= (samples.folder / "told" / f"{worker}.json").stat().st_mtime


def test_the_environment_sample_combines_in_order(samples: Samples) -> None:
    daemon = samples.run("env")
    (first,) = samples.workers(daemon, "worker1", 1)
    (second,) = samples.workers(daemon, "worker2", 1)
    assert environ(first) == {"PATH": os.environ["PATH"]}
    assert environ(second) == {"PATH": "/bin", "CAKE": "lie"}


def test_a_variable_of_circusd_makes_an_argument(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUGAR_AMOUNT", "3")
    daemon = samples.run("coffee")
    assert list(samples.workers(daemon, "coffee", 1).values()) == [["--sugar", "3"]]


def test_a_socket_needs_no_watcher(samples: Samples) -> None:
    daemon = samples.run("socket")
    (found,) = daemon.call("listsockets")["sockets"]
    assert (found["name"], str(found["port"])) == ("mysocket", samples.ports["8080"])
    with socket.create_connection(("localhost", int(samples.ports["8080"])), timeout=20):
        pass


@pytest.mark.parametrize(
    ("name", "watcher", "port", "count", "arguments"),
    [
        ("webworker", "webworker", "8888", 1, ["--fd", "chaussette.util.bench_app"]),
        ("dummy", "dummy", "8888", 5, []),
        ("web", "web", "8000", 5, ["--fd", "--backend", "meinheld", "mycool.app"]),
        ("pyramid", "webworker", "8080", 3, ["--fd", "app.application"]),
        ("django", "dwebworker", "8080", 2, ["–fd", "dproject.wsgi.application"]),  # noqa: RUF001 as printed there
    ],
)
def test_a_socket_is_served_by_every_worker(
    samples: Samples, name: str, watcher: str, port: str, count: int, arguments: list[str]
) -> None:
    daemon = samples.run(name)
    found = samples.workers(daemon, watcher, count)
    for told in found.values():
        assert "3" in told
        assert [one for one in told if one != "3"] == arguments
    samples.served_by(port, set(found))


def test_the_network_script_answers_each_request(samples: Samples) -> None:
    script = samples.folder / "bin" / "mycoolscript"
    script.write_text(f"#!{sys.executable}\n{NETWORK_SCRIPT}")
    daemon = samples.run("dummy")
    daemon.wait_pids("dummy", 5)
    for word in (b"one", b"two"):
        with socket.create_connection(("127.0.0.1", int(samples.ports["8888"])), timeout=20) as one:
            one.sendall(word)
            assert one.recv(20) == word.upper()


def test_the_console_sample_is_one_process_on_its_socket(samples: Samples) -> None:
    daemon = samples.run("webconsole")
    (pid,) = samples.workers(daemon, "webconsole", 1)
    assert daemon.call("incr", name="webconsole", waiting=True)["numprocesses"] == 1
    with socket.create_connection(("127.0.0.0", int(samples.ports["8080"])), timeout=20) as one:
        assert int(one.recv(20)) == pid


def test_the_django_sample_gives_its_variable(samples: Samples) -> None:
    for pid in samples.workers(samples.run("django"), "dwebworker", 2):
        assert environ(pid) == {"PYTHONPATH": "/path/to/parent-of-dproject"}


def test_the_django_backend_has_two_variables(samples: Samples) -> None:
    for pid in samples.workers(samples.run("django-backend"), "dbackend", 3):
        assert environ(pid) == {
            "PYTHONPATH": "/path/to/parent-of-dproject",
            "DJANGO_SETTINGS_MODULE": "dproject.settings",
        }


def test_the_bigger_priority_starts_first(samples: Samples) -> None:
    """The option's own description; the prose beside the sample has it the other way round."""
    daemon = samples.run("priority")
    wait_until(lambda: "redis.1 started" in daemon.text())
    assert daemon.text().index("queue-worker.1 started") < daemon.text().index("redis.1 started")
    assert list(samples.workers(daemon, "queue-worker", 1).values()) == [["-u", "worker.py"]]


def test_the_endpoints_are_where_the_sample_says(samples: Samples) -> None:
    daemon = samples.run("ipc")
    assert daemon.endpoint == f"ipc://{samples.folder}/endpoint"
    answer: dict[str, Any] = daemon.call("globaloptions")["options"]
    assert answer["pubsub_endpoint"] == f"ipc://{samples.folder}/pubsub"
    assert answer["stats_endpoint"] == f"ipc://{samples.folder}/stats"
    assert answer["check_delay"] == 5
