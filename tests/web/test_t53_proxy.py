"""T53: who a proxy says has logged in is believed of that proxy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console

HEADER = "proxy_user_header = X-Remote-User\n"
BELIEVED = f"{HEADER}trusted_proxies = 127.0.0.1, 10.0.0.0/8\n"


def as_alice(console: Console, **headers: str) -> int:
    return console.get("/", X_Remote_User="alice", **headers).status


def test_nobody_is_believed_by_itself(console: Console) -> None:
    assert as_alice(console) == 303


def test_t53_a_header_of_somebody_else_is_ignored(consoles: Open) -> None:
    console = consoles(f"{HEADER}trusted_proxies = 192.0.2.1, unix\nproxy_role = admin\n")
    assert as_alice(console) == 303
    assert as_alice(console, X_Forwarded_For="192.0.2.1") == 303


def test_who_the_proxy_names_may_what_is_set_up(consoles: Open) -> None:
    console = consoles(f"{BELIEVED}proxy_role = operate\n")
    assert as_alice(console) == 200
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Remote-User": "alice"}
    form["Origin"] = console.origin
    page = console.get("/", X_Remote_User="alice").text
    csrf = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    stop = "/watchers/web/stop"
    # the token is that of this user, and still needed
    for body, user in (("", "alice"), (f"csrf={csrf}", "bob")):
        assert console.ask("POST", stop, body, {**form, "X-Remote-User": user}).status == 403
    forged = {**form, "Origin": "http://evil.example"}
    assert console.ask("POST", stop, f"csrf={csrf}", forged).status == 403
    assert console.ask("POST", stop, f"csrf={csrf}", form).status == 303
    (line,) = [one for one in console.audit() if "verb=stop" in one]
    assert "who=alice from=127.0.0.1" in line


@pytest.mark.parametrize("name", ["", "alice, bob", "a b", "x" * 65, "<script>"])
def test_t53_what_is_no_name_is_nobody(consoles: Open, name: str) -> None:
    console = consoles(f"{BELIEVED}proxy_role = admin\n")
    assert console.get("/", X_Remote_User=name).status == 303
    assert console.get("/", X_Remote_User="alice").status == 200


def test_who_has_no_role_is_told_so(consoles: Open) -> None:
    answer = consoles(BELIEVED).get("/", X_Remote_User="alice")
    assert answer.status == 403
    assert "you are alice, who may do nothing here" in answer.text


def test_behind_a_proxy_cookies_are_for_https_alone_and_the_record_has_the_browser(
    consoles: Open,
) -> None:
    console = consoles("trusted_proxies = 127.0.0.1\nallowed_hosts = ops.example.org\n")
    ticket = console.ticket("read")
    through = {
        "Host": "ops.example.org",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.66, 198.51.100.7",
    }
    page = console.ask("GET", f"/login?ticket={ticket}", headers=through)
    assert set(console.cookies) == {"__Host-circus-login"}
    console.cookies["__Host-circus"] = "chosen-by-somebody-else"
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {**through, "Content-Type": "application/x-www-form-urlencoded"}
    body = f"csrf={csrf}&ticket={ticket}"
    for origin in ("http://ops.example.org", "https://ops.example.org:8080"):
        answer = console.ask("POST", "/login", body, {**form, "Origin": origin})
        assert answer.status == 403
    answer = console.ask("POST", "/login", body, {**form, "Origin": "https://ops.example.org"})
    assert answer.status == 303
    (line,) = [one for one in answer.headers.get_all("Set-Cookie") or () if "-login" not in one]
    assert line.startswith("__Host-circus=")
    assert set(line.split("; ")[1:]) == {"HttpOnly", "Path=/", "SameSite=Strict", "Secure"}
    # what the browser itself has put before the proxy's word counts for nothing
    assert "from=198.51.100.7 verb=login" in console.audit()[-1]
