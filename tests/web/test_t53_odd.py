"""T53: whatever is sent, and wherever, the answer is one, and it is no mistake of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.console import Console

ODD = [
    "", "%", "%%", "%ff", "%00", "%c3%28", "%ud800", "%0d%0aA:%20b", "\xff", "\x01", "é",
    "null", "[]", "{}", "\"", "'", ";", "&&==", "../..", "<script>", "{{7*7}}", "0", "-1",
    "1e999", "9" * 400, "a" * 5000,
]  # fmt: skip
PATHS = [
    "/@", "/login?next=@", "/login?ticket=@", "/watchers/@", "/watchers/@/options",
    "/?sort=@&filter=@", "/static/@", "/media/@", "/events?x=@",
    "/api/v1/history?watcher=@&span=@", "/api/v1/@", "/?v=@",
]  # fmt: skip
BODIES = [
    "@", "csrf=@", "csrf=CSRF&next=@", "csrf=CSRF&@=@",
    "csrf=CSRF&names=@&verb=stop&pid=@&signum=@", "csrf=CSRF&user=@&password=@",
    "csrf=CSRF&ticket=@", "csrf=CSRF&endpoint=@", "csrf=CSRF&name=@&cmd=@&numprocesses=@",
]  # fmt: skip
FORMS = ["/login", "/act", "/connect", "/watchers/off/signal", "/watchers/@/stop", "/add_watcher"]
HEADERS = [
    "Accept", "Authorization", "Content-Length", "Content-Type", "Cookie", "Host",
    "Last-Event-ID", "Origin", "Range", "Sec-Fetch-Site", "X-CSRF-Token", "X-Forwarded-For",
    "X-Forwarded-Proto",
]  # fmt: skip


def answered(console: Console, request: str) -> None:
    """By something that is no failure of the console."""
    answer = console.raw(request.encode("latin-1"))
    status = answer[9:12]
    assert status[:1] in (b"2", b"3", b"4") or status == b"503", (request, answer)
    assert b"Traceback" not in answer


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_t53_an_odd_request_is_answered(shared: Console, odd: str) -> None:
    shared.login("admin")
    csrf = shared.csrf()
    cookies = "; ".join(f"{name}={value}" for name, value in shared.cookies.items())
    head = f"HTTP/1.1\r\nHost: localhost:{shared.port}\r\nConnection: close\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    own = f"{head}Origin: {shared.origin}\r\nCookie: {cookies}\r\n"
    for path in PATHS:
        answered(shared, f"GET {path.replace('@', odd)} {own}\r\n")
    for path in FORMS:
        for fields in BODIES:
            body = fields.replace("@", odd).replace("CSRF", csrf)
            length = f"Content-Length: {len(body.encode('latin-1'))}\r\n"
            answered(shared, f"POST {path.replace('@', odd)} {own}{form}{length}\r\n{body}")
    for name in HEADERS:
        for value in (odd, f"Bearer {odd}", f"circus-{shared.port}={odd}"):
            answered(shared, f"GET / {head}{name}: {value}\r\n\r\n")
    assert "[ERROR]" not in shared.text()


TWICE = "&".join(f"{name}={value}" for name in (
    "name", "cmd", "numprocesses", "way", "verb", "names", "pid", "signum", "endpoint", "key",
    "value", "next", "user", "password", "ticket",
) for value in ("a", "b"))  # fmt: skip
OTHERS = {
    "application/json": ["[" * 60_000, '{"a":' * 10_000, '{"way": [], "name": 5}', "[]", "null"],
    "multipart/form-data; boundary=x": ["--x\r\n\r\n--x--\r\n"],
    "application/x-www-form-urlencoded": [TWICE],
}
"""Bodies that no form of ours sends, by kind."""


@pytest.mark.parametrize("path", [*FORMS, "/plan", "/watchers/off/options"])
def test_t53_a_body_that_no_form_sends_is_answered(shared: Console, path: str) -> None:
    shared.login("admin")
    headers = {"Origin": shared.origin, "X-CSRF-Token": shared.csrf()}
    for kind, bodies in OTHERS.items():
        for body in bodies:
            answer = shared.ask("POST", path, body, {"Content-Type": kind, **headers})
            assert answer.status < 500, (kind, body[:100], answer.text)
    assert "[ERROR]" not in shared.text()
