"""T53: a session belongs to whoever has logged in, from then on until they leave."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import listens, wait_until
from tests.web.console import Browser
from tests.web.follow import follow

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console


def name(console: Console) -> str:
    return f"circus-{console.port}"


def test_t53_a_cookie_is_for_nobody_but_us(console: Console) -> None:
    ticket = console.ticket()
    answer = console.post("/login", {"ticket": ticket}, page=f"/login?ticket={ticket}")
    (line,) = [one for one in answer.headers.get_all("Set-Cookie") or () if "-login" not in one]
    assert re.fullmatch(rf"{name(console)}=[\w-]{{43}}; HttpOnly; Path=/; SameSite=Strict", line), (
        line
    )


def test_t53_a_session_that_somebody_brought_along_is_not_theirs(console: Console) -> None:
    console.cookies[name(console)] = "chosen-by-somebody-else"
    ticket = console.ticket()
    console.post("/login", {"ticket": ticket}, page=f"/login?ticket={ticket}")
    first = console.cookies[name(console)]
    assert first != "chosen-by-somebody-else"
    # also who is logged in gets another one, and the one before is over
    ticket = console.ticket("read")
    assert console.post("/login", {"ticket": ticket}).status == 303
    second = console.cookies[name(console)]
    assert second != first
    console.cookies[name(console)] = first
    assert console.get("/").status == 303


def test_t53_a_login_takes_a_form_of_ours(console: Console) -> None:
    """Else another site could log somebody in as somebody else."""
    ticket = console.ticket()
    other = Browser(console.port)
    csrf = other.csrf("/login")
    assert csrf
    for fields in ({"csrf": ""}, {"csrf": csrf}):
        answer = console.post("/login", {"ticket": ticket, **fields}, page="/login")
        assert answer.status == 403
    assert console.get("/").status == 303
    assert console.post("/login", {"ticket": ticket}, page="/login").status == 303


def test_t53_after_a_logout_the_cookie_is_worth_nothing(console: Console) -> None:
    console.login()
    kept = dict(console.cookies)
    assert console.post("/logout").status == 303
    assert name(console) not in console.cookies
    console.cookies = kept
    assert console.get("/").status == 303
    console.stop()
    console.begin()
    assert console.get("/").status == 303


def test_t53_after_a_logout_a_stream_that_is_open_tells_nothing_more(console: Console) -> None:
    console.login()
    console.daemon.wait_pids("web", 2)
    with follow(console) as follower:
        follower.until(lambda: follower.watcher("web").get("wanted") == 2)
        assert console.post("/logout").status == 303
        assert console.daemon.call("incr", name="web", waiting=True)["status"] == "ok"
        follower.to_the_end()
        assert follower.watcher("web")["wanted"] == 2


def test_a_restart_logs_nobody_out(console: Console) -> None:
    console.login("operate")
    csrf = console.csrf()
    console.stop()
    console.begin()
    assert console.get("/").status == 200
    assert console.csrf() == csrf


def test_t53_what_is_kept_lets_nobody_in(console: Console) -> None:
    console.login()
    kept = (console.state / "sessions.json").read_text()
    secret = console.cookies[name(console)]
    assert secret not in kept
    (session,) = json.loads(kept)
    console.cookies[name(console)] = session
    assert console.get("/").status == 303
    for file in console.state.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_t53_sessions_are_over_when_their_time_is(consoles: Open) -> None:
    console = consoles("session_idle = 0.5\n").login()
    assert console.get("/").status == 200
    wait_until(lambda: console.get("/nowhere").status == 404)  # which is for everybody
    cookies = dict(console.cookies)

    def over() -> bool:
        # a session is written down to have been used once in a minute at most
        return console.get("/").status == 303

    wait_until(over)
    console.cookies = cookies
    assert console.get("/").status == 303


def test_t53_who_came_by_a_link_of_one_circusd_is_nobody_before_another(consoles: Open) -> None:
    """Else whoever rules one of their own, or one that they have made up, would rule all."""
    console, other = consoles(), consoles()
    console.login("admin")
    assert console.post("/connect", {"endpoint": other.daemon.endpoint}).status == 303
    assert console.get("/").status == 303
    assert console.get("/connect").location == "/login?next=%2Fconnect"
    console.login("read", other.daemon)
    assert console.get("/").status == 200
    assert console.post("/watchers/web/stop").status == 403


def test_t53_several_processes_know_the_same_people(console: Console) -> None:
    """As many WSGI servers run them."""
    console.stop()
    options = ["--workers", "2", "--threads", "2", "--bind", f"127.0.0.1:{console.port}"]
    with console.log.open("ab") as log:
        console.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "circus.web.circushttpd:app"],
            stdout=log,
            stderr=log,
            env={**os.environ, "CIRCUS_CONSOLE": str(console.config)},
        )
    wait_until(lambda: listens(console.port))
    console.login("operate")
    kept = dict(console.cookies)
    assert {console.get("/").status for _ in range(20)} == {200}
    assert {console.post("/watchers/off/start").status for _ in range(4)} == {303}
    assert console.post("/logout").status == 303
    console.cookies = kept
    assert {console.get("/").status for _ in range(20)} == {303}
    host = f"Host: localhost:{console.port}\r\n"
    piece = "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = console.raw(f"POST /login HTTP/1.1\r\nConnection: close\r\n{host}{piece}".encode())
    assert answer.startswith(b"HTTP/1.1 411 "), answer
    answer = console.raw(f"GET / HTTP/1.1\r\nConnection: close\r\n{host}{host}\r\n".encode())
    assert answer[9:12] in (b"400", b"421"), answer


def test_a_folder_that_is_missing_is_told_once(consoles: Open) -> None:
    console = consoles()
    console.stop()
    text = console.config.read_text().replace(str(console.state), "/nowhere/at/all")
    console.config.write_text(text)
    console.begin()
    console.login()
    assert console.get("/").status == 200
    assert console.text().count("cannot write to state_dir /nowhere/at/all") == 1


def test_a_message_is_shown_once_on_the_next_page(console: Console) -> None:
    console.login()
    assert console.post("/watchers/off/start", page="/").status == 303
    assert "off is being started." in console.get("/").text
    assert "off is being started." not in console.get("/").text
