"""In by a one-time link, and out again."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import as_user, needs_root, read_until, wait_until
from tests.web.conftest import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.console import Console

READER = 60099


def test_a_stranger_is_led_to_the_login_and_back(console: Console) -> None:
    answer = console.get("/?sort=name")
    assert (answer.status, answer.location) == (303, "/login?next=%2F%3Fsort%3Dname")
    ticket = console.ticket("read")
    page = f"/login?ticket={ticket}"
    assert "who may read" in console.get(page).text
    answer = console.post("/login", {"ticket": ticket, "next": "/?sort=name"}, page=page)
    assert (answer.status, answer.location) == (303, "/?sort=name")
    assert console.get("/").status == 200


def test_a_link_on_another_site_leads_in_who_has_logged_in(console: Console) -> None:
    console.login("read")
    kept, console.cookies = console.cookies, {}
    said = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    there = console.get("/sockets?x=1", **said).location
    page = console.get(there, **said).text
    assert '<meta http-equiv="refresh" content="0; url=/login?next=%2Fsockets%3Fx%3D1">' in page
    # that is asked for by a page of ours, so the cookie comes along
    assert "refresh" not in console.get(there, Sec_Fetch_Site="same-origin").text
    console.cookies = kept
    assert console.get(there, Sec_Fetch_Site="same-origin").location == "/sockets?x=1"


def test_a_link_lets_nobody_in_a_second_time(console: Console) -> None:
    ticket = console.ticket()
    page = f"/login?ticket={ticket}"
    assert console.post("/login", {"ticket": ticket}, page=page).status == 303
    console.cookies.clear()
    answer = console.post("/login", {"ticket": ticket}, page="/login")
    assert answer.status == 403
    assert "this link has been used" in answer.text
    assert console.get("/").status == 303


def test_who_came_in_and_left_is_on_record(console: Console) -> None:
    console.login("operate").post("/logout")
    assert console.get("/").status == 303
    came, left = wait_until(lambda: lines if len(lines := console.audit()) == 2 else None)
    assert came.endswith("from=127.0.0.1 verb=login target=operate details=- outcome=done")
    assert left.endswith("from=127.0.0.1 verb=logout target=- details=- outcome=done")
    assert "verb=console-login target=operate" in console.daemon.text()
    assert "verb=console-redeem" in console.daemon.text()


def test_whoever_starts_a_console_by_hand_gets_a_link_with_their_own_role(
    console: Console,
) -> None:
    with by_hand(console) as terminal:
        read_until(terminal, f"Log in within 5 minutes, once: http://localhost:{console.port}")
        path = read_until(terminal, "\n").strip()
        ticket = path.partition("=")[2]
        assert "who may admin" in console.get(path).text
        assert console.post("/login", {"ticket": ticket}, page=path).status == 303
        assert console.get("/").status == 200


def test_without_circusd_they_hear_why_there_is_no_link_and_how_to_get_one(
    console: Console,
) -> None:
    console.daemon.process.terminate()
    console.daemon.process.wait(timeout=30)
    with by_hand(console) as terminal:
        read_until(terminal, "No link to log in with yet: ")
        said = read_until(terminal, "Later: circusctl console-login")
        assert f"No circusd listens at {console.daemon.endpoint}" in said


@contextlib.contextmanager
def by_hand(console: Console) -> Iterator[int]:
    """The terminal of somebody who has started it there, and sees that it listens."""
    console.stop()
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "circus.web.circushttpd", "--config", str(console.config)]
    process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child)
    os.close(child)
    try:
        read_until(parent, f"Listening on http://localhost:{console.port}/")
        yield parent
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(parent)


@needs_root
def test_a_link_lets_nobody_do_more_than_they_may(console: Console) -> None:
    console.daemon.write(f"[circus]\nread_users = {READER}\n{WATCHERS}")
    assert console.daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    console.daemon.folder.chmod(0o755)
    asked = [*as_user(READER, READER), "circusctl", "--endpoint", console.daemon.endpoint]
    ended = [
        subprocess.run(
            [*asked, "console-login", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for words in ([], ["--role", "admin"], ["--url", "https://ops.example.org/"])
    ]
    assert [one.returncode for one in ended] == [0, 3, 0]
    own, denied, elsewhere = ended
    assert "denied: a link for admin needs admin; you may read" in denied.stderr
    assert elsewhere.stdout.startswith("https://ops.example.org/login?ticket=")
    link = own.stdout.strip()
    assert link.startswith("http://localhost:8080/login?ticket=")
    page = console.get(link.removeprefix("http://localhost:8080")).text
    assert f"<strong>{READER}</strong>, who may read" in page
