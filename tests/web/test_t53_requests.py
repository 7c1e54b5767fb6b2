"""T53: whoever can lead a browser to the console, or reach its port, gets nothing of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from circus.web import assets
from circus.web.guard import HEADERS
from circus.web.waitressed import HEAD_MOST

if TYPE_CHECKING:
    from tests.web.console import Answer, Console

STOP = "/watchers/web/stop"
OTHERS = [
    "evil.example", "localhost.evil.example:PORT", "localhost:1", "127.0.0.1:1", "[::2]:PORT",
    "localhost:PORT@evil.example", "localhost:PORT, evil.example", "localhost:99999", "a b", "",
]  # fmt: skip
FOREIGN = [
    "null", "http://evil.example", "https://localhost:PORT", "http://localhost:1",
    "http://localhost", "http://localhost:PORT.evil.example", "http://127.0.0.1:PORT", "",
]  # fmt: skip
OUTSIDE = [
    "/static/../guard.py", "/static/%2e%2e/guard.py", "/static/..%2fguard.py",
    "/static//etc/passwd", "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
    "/static/..\\guard.py", "/static/x%00.css", "/static/....//guard.py",
    "/static/%252e%252e/guard.py", "/static/", "/static",
]  # fmt: skip
ELSEWHERE = [
    "//evil.example", "/\\evil.example", "http://evil.example", "javascript:alert(1)", "evil",
    "/x\r\nSet-Cookie: a=b", "/x\r\n\r\n<script>", "/\t/evil.example", "/ä", "\\\\evil.example",
]  # fmt: skip


@pytest.fixture
def console(shared: Console) -> Console:
    """One to which an administrator has logged in."""
    return shared.login()


def states(console: Console) -> dict[str, str]:
    found: dict[str, str] = console.daemon.statuses()
    return found


def refused(console: Console, answer: Answer, status: int = 403) -> None:
    assert answer.status == status, answer.text
    assert states(console)["web"] == "active"


@pytest.mark.parametrize("path", ["/", "/login", "/static/console.css", "/healthz", "/nowhere"])
@pytest.mark.parametrize("host", OTHERS)
def test_t53_another_name_is_refused_everywhere(console: Console, path: str, host: str) -> None:
    answer = console.get(path, Host=host.replace("PORT", str(console.port)))
    refused(console, answer, 421)
    assert len(answer.text.splitlines()) == 1
    assert not host or host not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]"])
def test_our_own_names_are_fine(console: Console, host: str) -> None:
    assert console.get("/login", Host=f"{host}:{console.port}").status == 303


def test_t53_a_host_that_is_missing_or_there_twice_is_refused(console: Console) -> None:
    host = f"Host: localhost:{console.port}\r\n"
    for lines in (
        "",
        host + host,
        host + "Host: evil.example\r\n",
        "Host: evil.example\r\n" + host,
    ):
        answer = console.raw(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421 "), (lines, answer)


def test_t53_what_a_stranger_forwards_is_not_believed(console: Console) -> None:
    answer = console.get("/login", X_Forwarded_Host="evil.example", X_Forwarded_Proto="https")
    assert answer.status == 303
    assert "evil" not in str(answer.headers)
    refused(console, console.get("/", Host="evil.example", X_Forwarded_Host="localhost"), 421)


@pytest.mark.parametrize("origin", FOREIGN)
def test_t53_the_form_of_another_site_is_refused(console: Console, origin: str) -> None:
    refused(console, console.post(STOP, Origin=origin.replace("PORT", str(console.port))))


def test_t53_a_change_without_an_origin_is_refused(console: Console) -> None:
    body = f"csrf={console.csrf()}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(console, console.ask("POST", STOP, body, form))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "nonsense"])
def test_t53_a_change_that_a_browser_says_is_foreign_is_refused(
    console: Console, site: str
) -> None:
    refused(console, console.post(STOP, Sec_Fetch_Site=site))


@pytest.mark.parametrize("csrf", ["", "0" * 64, "nonsense", "ä"])
def test_t53_a_change_without_the_token_of_the_session_is_refused(
    console: Console, csrf: str
) -> None:
    refused(console, console.post(STOP, {"csrf": csrf}))
    refused(console, console.post(STOP, X_CSRF_Token=csrf.encode().decode("latin-1")))
    refused(console, console.post(f"{STOP}?csrf={console.csrf()}", {"csrf": csrf}))


def test_t53_the_token_of_another_session_is_refused(console: Console) -> None:
    other = console.csrf()
    console.login()
    assert console.csrf() != other
    refused(console, console.post(STOP, {"csrf": other}))


def test_t53_a_token_that_is_there_twice_is_refused(console: Console) -> None:
    csrf = console.csrf()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": console.origin}
    refused(console, console.ask("POST", STOP, f"csrf={csrf}&csrf={csrf}", form))


def test_t53_other_kinds_of_body_take_the_token_in_a_header(console: Console) -> None:
    csrf = console.csrf()
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
        sent = {"Content-Type": kind, "Origin": console.origin}
        refused(console, console.ask("POST", STOP, f"csrf={csrf}", sent))


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_t53_a_method_cannot_be_overridden(console: Console, header: str) -> None:
    answer = console.get(f"{STOP}?_method=POST&csrf={console.csrf()}", **{header: "POST"})
    refused(console, answer, 303)


@pytest.mark.parametrize("dest", ["image", "script", "iframe", "empty", "style", "object"])
def test_t53_no_other_site_embeds_anything_of_ours(console: Console, dest: str) -> None:
    mode = "navigate" if dest in ("iframe", "object") else "no-cors"
    for site in ("cross-site", "same-site"):
        for path in ("/", STOP, "/static/console.css"):
            said = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}
            refused(console, console.get(path, **said))


def test_a_link_from_elsewhere_may_lead_to_us(console: Console) -> None:
    said = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert console.get("/", **said, Sec_Fetch_Dest="document").status == 200


def test_t53_nobody_else_may_ask_across_origins(console: Console) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = console.ask("OPTIONS", STOP, headers=asked)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_t53_every_answer_has_the_headers(console: Console) -> None:
    port = console.port
    answers = {
        "a page": console.get("/"),
        "a redirect": console.get("/login"),
        "a file": console.get("/static/console.css"),
        "no page": console.get("/nowhere"),
        "no file": console.get("/static/nowhere"),
        "no method": console.ask("PUT", "/", headers={"Origin": console.origin}),
        "another name": console.get("/", Host="evil.example"),
        "foreign": console.post(STOP, Origin="null"),
        "no watcher": console.get("/watchers/nope"),
    }
    raw = {
        "too long": f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 70000\r\n\r\n",
        "no request": "NONSENSE\r\n\r\n",
        "an odd header": f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nA b: c\r\n\r\n",
    }
    for what, answer in answers.items():
        for name, value in HEADERS.items():
            assert value == answer.headers[name], (what, name)
        assert answer.headers["Server"] is None
    for what, request in raw.items():
        head = console.raw(request.encode()).partition(b"\r\n\r\n")[0].decode()
        for name, value in HEADERS.items():
            assert f"\r\n{name}: {value}" in head, (what, name, head)
        assert "\r\nServer:" not in head
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_files_by_what_is_in_them_are_kept_for_ever_and_others_not(console: Console) -> None:
    def kept(path: str) -> str | None:
        return console.get(path).headers["Cache-Control"]

    assert kept(f"{assets.prefix()}/console.css") == "public, max-age=31536000, immutable"
    assert kept("/static/console.css") == "no-store"
    assert kept(f"{assets.prefix()}/nope.css") == "no-store"


def test_t53_no_page_has_script_or_style_inside(console: Console) -> None:
    for path in ("/", "/watchers/web", "/nowhere"):
        text = console.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text), path


@pytest.mark.parametrize("path", OUTSIDE)
def test_t53_nothing_outside_of_static_is_read(console: Console, path: str) -> None:
    host = f"Host: localhost:{console.port}\r\nConnection: close\r\n"
    answer = console.raw(f"GET {path} HTTP/1.1\r\n{host}\r\n".encode())
    assert re.match(rb"HTTP/1.1 40[04] ", answer), answer
    assert b"root:" not in answer
    assert b"class Guard" not in answer


@pytest.mark.parametrize("there", ELSEWHERE)
def test_t53_a_login_leads_nowhere_else(console: Console, there: str) -> None:
    ticket = console.ticket("read")
    page = f"/login?ticket={ticket}"
    answer = console.post("/login", {"ticket": ticket, "next": there}, page=page)
    assert (answer.status, answer.location) == (303, "/")
    assert "evil" not in str(answer.headers)
    assert "a" not in console.cookies
    answer = console.post("/watchers/off/start", {"next": there})
    assert answer.location in ("/", "/watchers/off", "")


def test_t53_a_path_is_no_header_of_the_way_to_the_login(console: Console) -> None:
    console.cookies.clear()
    answer = console.get("/watchers/x%0d%0aSet-Cookie:%20a=b?q=%0d%0aA:b")
    assert answer.status == 303
    assert "a" not in console.cookies
    assert answer.location.startswith("/login?next=%2Fwatchers%2Fx%250D%250A")


@pytest.mark.parametrize("length", ["Content-Length: 65537", "Content-Length: 1000000000"])
def test_t53_a_long_request_is_refused_before_it_is_read(console: Console, length: str) -> None:
    host = f"Host: localhost:{console.port}\r\n"
    for path in ("/login", "/api/v1/watchers/web/stop", "/nowhere"):
        answer = console.raw(f"POST {path} HTTP/1.1\r\n{host}{length}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 413 "), answer


def test_t53_a_long_request_in_pieces_is_refused_when_it_is_too_long(console: Console) -> None:
    host = f"Host: localhost:{console.port}\r\n"
    head = f"POST /login HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n".encode()
    piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    answer = console.raw(head + piece * 4)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]


def test_t53_a_request_with_an_endless_head_is_refused_before_it_fills_the_memory(
    console: Console,
) -> None:
    answer = console.raw(b"GET / HTTP/1.1\r\nX: ".ljust(HEAD_MOST, b"x"))
    assert answer.partition(b" ")[2].startswith(b"431 "), answer[:200]
