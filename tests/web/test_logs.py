"""The output of workers through the console, from files and from the journal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from circus.web.controller import PLACES
from tests.journald import InUnit, RealJournald, needs_journald
from tests.sshd import sshd as sshd
from tests.sshd import temporary as temporary
from tests.support import wait_until
from tests.web.api import Api
from tests.web.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sshd import Server
    from tests.web.conftest import Open

SAYS = "mkfifo FOLDER/%s; exec 3<>FOLDER/%s; while read -r line <&3; do echo $line; done"
FILES = f"""
[watcher:Web]
cmd = {SAYS % ("web", "web")}
shell = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
stdout_stream.max_bytes = 200
stdout_stream.backup_count = 20
stdout_stream.time_format = %Y-%m-%d %H:%M:%S
stderr_stream.class = FileStream
stderr_stream.filename = FOLDER/web.err
[watcher:led]
cmd = sleep 3600
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/led.log
[watcher:secret]
cmd = sleep 3600
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/secret.log
[watcher:nowhere]
cmd = sleep 3600
stdout_stream.class = StdoutStream
stderr_stream.class = StdoutStream
"""


class Follower:
    """Asks for a watcher's output, each time for what came since."""

    def __init__(self, api: Api, name: str, query: str = "") -> None:
        self._api = api
        self._path = f"/watchers/{name}/logs?{query}"
        self.cursor = ""
        self.lines: list[dict[str, Any]] = []

    def ask(self) -> list[dict[str, Any]]:
        answer = self._api.ask(f"{self._path}&cursor={self.cursor}")
        assert answer.status == 200, answer.text
        self.cursor = answer.json["cursor"]
        assert not answer.json["gap"]
        self.lines += answer.json["lines"]
        return self.lines

    def wait(self, text: str) -> list[str]:
        """The texts, once that is among them."""
        wait_until(lambda: any(text in one["text"] for one in self.ask()))
        return [one["text"] for one in self.lines]


@pytest.fixture
def console(consoles: Open) -> Console:
    return consoles(watchers=FILES)


@pytest.fixture
def api(console: Console) -> Api:
    return Api(console)


def say(console: Console, watcher: str, text: str) -> None:
    """Have a worker write a line."""
    pipe = console.daemon.folder / watcher
    wait_until(pipe.exists)
    pipe.write_text(f"{text}\n")


def test_a_follower_misses_nothing_and_reads_nothing_twice(console: Console, api: Api) -> None:
    follower = Follower(api, "web")
    for number in range(60):
        say(console, "web", f"line {number} of many")
        if number % 7 == 0:
            follower.ask()
    follower.wait("line 59 ")
    texts = [one["text"].partition(" | ")[2] for one in follower.lines]
    assert texts == [f"line {number} of many" for number in range(60)]
    assert (console.daemon.folder / "web.log.3").exists()
    assert {one["stream"] for one in follower.lines} == {"stdout"}
    assert all(one["at"] for one in follower.lines)


def test_the_last_lines_come_first_or_those_since_a_time(console: Console, api: Api) -> None:
    for number in range(5):
        say(console, "web", f"line {number}")
    Follower(api, "Web").wait("line 4")
    found = api.ask("/watchers/web/logs?lines=2").json["lines"]
    assert [one["text"][-6:] for one in found] == ["line 3", "line 4"]
    found = api.ask("/watchers/web/logs?stream=stdout&since=1000000000").json["lines"]
    assert [one["text"][-6:] for one in found] == [f"line {number}" for number in range(5)]
    assert api.ask("/watchers/web/logs?stream=stdout&since=2100-01-01").json["lines"] == []
    answer = api.ask("/watchers/web/logs?since=1000000000")
    assert (answer.status, "option time_format" in answer.json["detail"]) == (400, True)


def test_what_is_wrong_is_told(api: Api) -> None:
    for query, text in (
        ("cursor=abc", "'cursor' isn't one that was given out here"),
        ("lines=0", "'lines' must be between 1 and 1000"),
        ("lines=x", "'lines' must be between 1 and 1000"),
        ("stream=stdin", "'stream' must be one of stdout, stderr"),
        ("since=yesterday", "'since' is no time"),
        ("path=/etc/passwd", "unknown parameter 'path'"),
    ):
        answer = api.ask(f"/watchers/web/logs?{query}")
        assert (answer.status, text in answer.json["detail"]) == (400, True), answer.text
    for name in ("nope", "nowhere"):
        assert api.ask(f"/watchers/{name}/logs").status == 404


def test_t53_no_link_and_no_device_is_followed(console: Console, api: Api) -> None:
    folder = console.daemon.folder
    log = folder / "led.log"
    wait_until(log.exists)
    log.unlink()
    log.symlink_to("/etc/passwd")
    for path in ("logs", "logs/raw"):
        answer = api.ask(f"/watchers/led/{path}", headers={"Accept": "*/*"})
        assert (answer.status, "it is a link" in answer.json["detail"]) == (422, True)


def test_t53_whatever_a_worker_writes_is_text_and_nothing_else(console: Console, api: Api) -> None:
    (console.daemon.folder / "led.log").write_bytes(b"<script>\x1b[31m\xff</script>\r\nX-A: b\n")
    answer = api.ask("/watchers/led/logs")
    texts = [one["text"] for one in answer.json["lines"]]
    assert texts == ["<script>\x1b[31m\ufffd</script>\r", "X-A: b"]
    assert answer.headers["Content-Type"] == "application/json"
    raw = api.ask("/watchers/led/logs/raw", headers={"Accept": "*/*"})
    assert raw.body == (console.daemon.folder / "led.log").read_bytes()
    assert raw.headers["Content-Type"].startswith("text/plain")
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert raw.headers["Content-Disposition"] == 'attachment; filename="led.log"'


def test_downloads_end_and_leave_nothing_open(console: Console, api: Api) -> None:
    (console.daemon.folder / "led.log").write_bytes(b"0123456789abcde\n" * 200_000)
    for _ in range(20):
        raw = api.ask("/watchers/led/logs/raw", headers={"Accept": "*/*"})
        assert len(raw.body) == 3_200_000
    wait_until(  # a client may have all of it a moment before the console has let go of it
        lambda: (
            not any(
                os.path.realpath(one).endswith("led.log") for one in console_descriptors(console)
            )
        )
    )


def test_t53_downloads_that_nobody_reads_to_the_end_hold_up_no_others(
    console: Console, api: Api
) -> None:
    (console.daemon.folder / "led.log").write_bytes(b"0123456789abcde\n" * 2_000_000)
    cookies = "; ".join(f"{name}={value}" for name, value in console.cookies.items())
    request = (
        "GET /api/v1/watchers/led/logs/raw HTTP/1.1\r\n"
        f"Host: localhost:{console.port}\r\nCookie: {cookies}\r\n\r\n"
    )
    for _ in range(2 * PLACES):
        with socket.create_connection(("127.0.0.1", console.port), timeout=30) as sock:
            sock.sendall(request.encode())
            assert sock.recv(1024).startswith(b"HTTP/1.1 ")
    wait_until(lambda: api.ask("/watchers/led/logs/raw", headers={"Accept": "*/*"}).status == 200)
    assert api.ask("/watchers/led/logs?lines=1").status == 200


def console_descriptors(console: Console) -> list[str]:
    folder = f"/proc/{console.process.pid}/fd"
    return [f"{folder}/{one}" for one in os.listdir(folder)]


@pytest.mark.usefixtures("temporary")
def test_what_is_on_another_machine_is_not_looked_for_here(
    consoles: Open, sshd: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIRCUS_SSH", f"ssh -F {sshd.folder}/ssh_config -i {sshd.key()}")
    console = consoles("", "--ssh", sshd.name, watchers=FILES)
    answer = Api(console).ask("/watchers/led/logs")
    assert (answer.status, answer.json["detail"]) == (
        422,
        f"the output of led is on {sshd.name}, not here",
    )
    console.stop()  # and its tunnel, before sshd is


# -- the journal ------------------------------------------------

JOURNAL = f"""
[watcher:Plain]
cmd = out(){{ echo "$1"; echo "<3>$1 failed" >&2; }}; {SAYS.replace("echo $line", "out $line")}
shell = True
[watcher:quiet]
cmd = sleep 3600
stdout_stream.class = JournalStream
""" % ("plain", "plain")
AS_NOBODY = """
import os
from circus.web.logs import journal
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
journal.last(["CIRCUS_WATCHER=quiet"], 1)
"""


@pytest.fixture
def journal() -> Iterator[Console]:
    """A console where a real journald has what workers write."""
    journald = RealJournald()
    daemon = InUnit(journald, JOURNAL)
    try:
        console = Console(daemon.wait(), inside=journald.inside)
        yield console
        console.stop()
    finally:
        daemon.stop()
        journald.close()


@needs_journald
def test_the_journal_is_followed_as_files_are(journal: Console) -> None:
    api = Api(journal)
    say(journal, "plain", "first")
    wait_until(lambda: api.ask("/watchers/plain/logs").status == 200)
    follower = Follower(api, "plain")
    follower.wait("first failed")
    for number in range(20):
        say(journal, "plain", f"line{number}")
        follower.ask()
    follower.wait("line19 failed")
    out = [one for one in follower.lines if one["stream"] == "stdout"]
    err = [one for one in follower.lines if one["stream"] == "stderr"]
    expected = ["first", *(f"line{number}" for number in range(20))]
    assert [one["text"] for one in out] == expected
    assert [one["text"] for one in err] == [f"{text} failed" for text in expected]
    assert {one["severity"] for one in out} == {"info"}
    assert {one["severity"] for one in err} == {"err"}
    assert all(one["at"] for one in follower.lines)
    since = api.ask("/watchers/plain/logs?since=1000000000&lines=2&stream=stdout").json
    assert [one["text"] for one in since["lines"]] == ["first", "line0"]
    assert since["more"]
    rest = Follower(api, "plain", "stream=stdout")
    rest.cursor = since["cursor"]
    assert rest.wait("line19") == expected[2:]
    raw = api.ask("/watchers/plain/logs/raw?stream=stdout", headers={"Accept": "*/*"})
    assert raw.text.count("\n") == 21
    assert "line7" in raw.text


@needs_journald
def test_the_journal_may_have_nothing_yet_and_what_is_no_text(journal: Console) -> None:
    api = Api(journal)
    assert api.ask("/watchers/quiet/logs").json["lines"] == []
    pipe = journal.daemon.folder / "plain"
    wait_until(pipe.exists)
    pipe.write_bytes(b"ol\xe9\n")
    wait_until(lambda: api.ask("/watchers/plain/logs").status == 200)
    assert "ol\ufffd failed" in Follower(api, "plain").wait("failed")


@needs_journald
@pytest.mark.parametrize("mode", [0o2755, 0o2750], ids=["seen", "not even seen"])
def test_a_journal_that_is_not_for_the_console_says_what_to_do(journal: Console, mode: int) -> None:
    """As the unit of the console without the group that may read it; below /run it sees none."""
    journald = journal.daemon.journald  # type: ignore[attr-defined]  # it is InUnit
    inside = journald.inside
    (folder,) = (journald.folder.parents[1] / "log/journal").iterdir()
    folder.chmod(mode)
    ended = subprocess.run(
        [*inside, sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False
    )
    told = (
        "circus.exc.Denied: the journal may not be read by the user of the console: add that to "
        "the group systemd-journal and start the console again"
    )
    assert told in ended.stderr.splitlines(), ended.stderr
