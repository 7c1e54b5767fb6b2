"""T53: passwords and tokens, and whoever tries to guess them."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import read_until, wait_until
from tests.web.console import Browser
from tests.web.follow import follow

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.conftest import Open
    from tests.web.console import Answer, Console

PASSWORD = "correct horse battery"


def circushttpd(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "circus.web.circushttpd", *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """With alice, who may operate."""
    path = tmp_path / "users"
    ended = circushttpd("passwd", str(path), "alice", "--role", "operate", typed=PASSWORD + "\n")
    assert (ended.returncode, ended.stdout) == (0, "alice may operate, with this password\n")
    return path


@pytest.fixture
def console(consoles: Open, file: Path) -> Console:
    return consoles(f"password_file = {file}\n")


def login(console: Console, user: str, password: str) -> Answer:
    console.cookies.clear()
    return console.post("/login", {"user": user, "password": password}, page="/login")


def token(file: Path, name: str, role: str) -> dict[str, str]:
    ended = circushttpd("token", str(file), name, "--role", role)
    assert ended.returncode == 0, ended.stderr
    return {"Authorization": f"Bearer {ended.stdout.strip()}"}


def test_a_password_lets_somebody_in(console: Console) -> None:
    assert login(console, "alice", PASSWORD).status == 303
    page = console.get("/")
    assert page.status == 200
    assert "alice" in page.text
    assert "operate" in page.text


@pytest.mark.parametrize("user", ["alice", "bob", "", "alice:operate", "ä\n"])
def test_a_wrong_one_does_not_and_does_not_tell_which_was_wrong(
    console: Console, user: str
) -> None:
    answer = login(console, user, "wrong horse")
    assert answer.status == 403
    assert "The name or the password is wrong." in answer.text
    assert console.get("/").status == 303


def test_t53_whoever_guesses_has_to_wait_and_so_has_the_right_password(console: Console) -> None:
    for _ in range(5):
        assert login(console, "alice", "wrong horse").status == 403
    # from then on, each failure doubles the time: two more make it long enough to be seen
    for _ in range(2):
        wait_until(lambda: login(console, "alice", "wrong horse").status == 403)
    answer = login(console, "alice", PASSWORD)
    assert answer.status == 429
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 4
    assert f"Try again in {seconds} seconds." in answer.text
    assert console.get("/").status == 303
    wait_until(lambda: login(console, "alice", PASSWORD).status == 303)
    lines = console.audit()
    assert sum("who=alice" in one and "outcome=denied" in one for one in lines) >= 7
    assert "horse" not in console.text()


def test_t53_the_record_of_guesses_is_bounded(console: Console) -> None:
    page = console.csrf("/login")
    for number in range(40):
        fields = {"csrf": page, "user": f"u{number}", "password": "x" * 2000}
        assert console.post("/login", fields, page="/login").status == 403
    assert sum("outcome=denied" in one for one in console.audit()) == 20


def test_t53_a_password_of_a_megabyte_costs_nothing(console: Console) -> None:
    assert login(console, "alice", PASSWORD + "x" * 1024).status == 403
    body = b"user=alice&password=" + b"x" * 1024 * 1024
    head = f"POST /login HTTP/1.1\r\nHost: localhost:{console.port}\r\n"
    length = f"Content-Length: {len(body)}\r\n\r\n"
    # it is not even sent: nobody would read it
    assert console.raw((head + length).encode()).startswith(b"HTTP/1.1 413 ")
    assert login(console, "alice", PASSWORD).status == 303


def test_t53_names_that_are_typed_do_not_forge_the_record(console: Console) -> None:
    forged = "x outcome=done\n2026-01-01 circus.audit[1] [INFO] Console who=root\x1b[2J\u202e"
    assert login(console, forged, "wrong horse").status == 403
    assert login(console, PASSWORD, "").status == 403  # typed in the wrong place
    lines = wait_until(lambda: lines if len(lines := console.audit()) == 2 else None)
    assert {line.partition(" from")[0] for line in lines} == {"Console who=unknown"}
    assert "horse" not in console.text()
    assert "\x1b" not in console.text()


def test_a_role_and_a_password_that_change_count_at_once(console: Console, file: Path) -> None:
    login(console, "alice", PASSWORD)
    assert console.post("/watchers/off/start").status == 303
    file.write_text(file.read_text().replace(":operate:", ":read:"))
    assert console.post("/watchers/off/stop").status == 403
    circushttpd("passwd", str(file), "alice", typed="another horse\n")
    assert ":read:" in file.read_text()
    assert console.get("/").status == 303
    assert login(console, "alice", PASSWORD).status == 403
    assert login(console, "alice", "another horse").status == 303
    file.write_text("")
    assert console.get("/").status == 303


def test_t53_a_token_speaks_for_a_program_and_for_no_browser(console: Console, file: Path) -> None:
    sent = token(file, "deploy", "operate")
    assert console.ask("GET", "/", headers=sent).status == 200
    assert console.ask("POST", "/watchers/off/start", "", sent).status == 303
    foreign = {**sent, "Origin": "http://evil.example"}
    assert console.ask("POST", "/watchers/off/stop", "", foreign).status == 403
    # what it may not, it may not
    assert console.ask("POST", "/watchers/off/rm", "", sent).status == 303
    assert "off" in console.daemon.statuses()
    answer = console.ask("GET", "/", headers={"Authorization": "Bearer circus_nonsense"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert sent["Authorization"].removeprefix("Bearer ") not in file.read_text() + console.text()


def test_t53_a_token_for_metrics_reads_nothing_else(console: Console, file: Path) -> None:
    sent = token(file, "prometheus", "metrics")
    for path in ("/metrics", "/readyz"):
        assert console.get(path, Accept="*/*").status == 401
        assert console.ask("GET", path, headers={**sent, "Accept": "*/*"}).status == 200
    for path in ("/", "/watchers/web", "/sockets", "/live", "/api/v1/state", "/api/v1/watchers"):
        assert console.ask("GET", path, headers={**sent, "Accept": "*/*"}).status == 403
    answer = console.ask("GET", "/", headers=sent)
    assert "This takes the role read; you are prometheus, who may do nothing here." in answer.text


def test_t53_a_file_that_others_may_write_to_lets_nobody_in(console: Console, file: Path) -> None:
    file.chmod(0o622)
    assert login(console, "alice", PASSWORD).status == 403
    assert f"others may write to {file}; do: chmod go-w {file}" in console.text()
    file.chmod(0o600)
    assert login(console, "alice", PASSWORD).status == 303


def test_t53_a_file_that_others_may_read_is_told_once(console: Console, file: Path) -> None:
    told = f"others may read {file}, and try passwords on what they hash to; do: chmod o-r {file}"
    file.chmod(0o644)
    for _ in range(2):
        assert login(console, "alice", PASSWORD).status == 303
    assert console.text().count(told) == 1
    file.chmod(0o640)
    assert login(console, "alice", PASSWORD).status == 303
    assert console.text().count(told) == 1


def test_the_file_holds_no_password_and_only_its_owner_reads_it(file: Path) -> None:
    text = file.read_text()
    assert re.fullmatch(r"alice:operate:scrypt\$32768\$8\$1\$\S{24}\$\S{44}\n", text)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["alice"], "short\n", "a password has at least 8 characters"),
        (["alice"], "x" * 1025 + "\n", "a password has at most 1024 bytes"),
        (["al:ice"], PASSWORD, "'al:ice' is no name: letters, digits, and . _ @ + - inside"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    file: Path, words: list[str], typed: str, said: str
) -> None:
    before = file.read_text()
    ended = circushttpd("passwd", str(file), *words, typed=typed)
    assert (ended.returncode, ended.stderr) == (1, f"circushttpd: {said}\n")
    assert file.read_text() == before


@pytest.mark.parametrize(("again", "said"), [(PASSWORD, "bob may read"), ("other", "different")])
def test_a_password_that_is_typed_is_asked_for_twice_and_not_shown(
    file: Path, again: str, said: str
) -> None:
    parent, child = pty.openpty()
    ended = subprocess.Popen(
        [sys.executable, "-m", "circus.web.circushttpd", "passwd", str(file), "bob"],
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    read_until(parent, "Password for bob: ")
    os.write(parent, PASSWORD.encode() + b"\n")
    read_until(parent, "Once more: ")
    os.write(parent, again.encode() + b"\n")
    read_until(parent, said)
    os.close(parent)
    ended.wait(timeout=30)
    assert ("bob:read:" in file.read_text()) == (again == PASSWORD)


def test_t53_who_is_taken_out_of_the_file_hears_nothing_more(console: Console, file: Path) -> None:
    assert login(console, "alice", PASSWORD).status == 303
    headers = token(file, "robot", "read")
    robot = Browser(console.port)
    with follow(console) as follower, follow(robot, headers=headers) as other:
        follower.until(lambda: follower.watcher("web"))
        other.until(lambda: other.watcher("web"))
        file.write_text("")
        follower.to_the_end()
        other.to_the_end()
    assert console.get("/api/v1/state").status == 401
    assert robot.ask("GET", "/api/v1/state", headers=headers).status == 401
