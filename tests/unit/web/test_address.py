"""Whom to believe, and which names are ours."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.testing
import pytest

from circus.web.address import Addresses, split_authority
from circus.web.settings import Settings


def asked(
    host: str | None = "localhost:8080", sender: str = "192.0.2.9", **headers: str
) -> falcon.Request:
    found = falcon.testing.create_environ(remote_addr=sender)
    found.pop("HTTP_HOST", None)
    if host is not None:
        found["HTTP_HOST"] = host
    found |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return falcon.Request(found)


def origin(request: falcon.Request, **settings: Any) -> str | None:
    site = Addresses(Settings(**settings)).site(request)
    return site and site.origin


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("localhost", ("localhost", None)),
        ("LocalHost.:80", ("localhost", 80)),
        ("[::1]:8080", ("::1", 8080)),
        ("a_b-c.example:65535", ("a_b-c.example", 65535)),
    ],
)
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(
    text: str, found: tuple[str, int | None]
) -> None:
    assert split_authority(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a,b", "a/b", "a@b", "a:", "a:x", "a:65536", "a:123456", "[::1", "a\n", "ä"],
)  # fmt: skip
def test_all_else_is_none(text: str) -> None:
    assert split_authority(text) is None


def test_names_of_ours() -> None:
    assert origin(asked()) == "http://localhost:8080"
    assert origin(asked("localhost")) is None
    assert origin(asked("localhost:80"), port=80) == "http://localhost"
    assert origin(asked("localhost"), port=80) == "http://localhost"
    assert origin(asked("ops:8080"), host="ops") == "http://ops:8080"
    assert origin(asked("0.0.0.0:8080"), host="0.0.0.0") is None
    assert origin(asked("[::1]:8080"), host="::") == "http://[::1]:8080"
    assert origin(asked(None)) is None


def test_names_that_were_allowed() -> None:
    allowed = {"allowed_hosts": ("ops", "Web.Example:99", "2001:db8::1")}
    for host, found in {
        "ops:1": "http://ops:1",
        "OPS": "http://ops",
        "web.example:99": "http://web.example:99",
        "web.example": None,
        "other": None,
    }.items():
        assert origin(asked(host), **allowed) == found
    at = {"url": "https://ops.example.org", "trusted_proxies": ("192.0.2.9",)}
    said = {"x_forwarded_proto": "https"}
    assert origin(asked("ops.example.org", **said), **at) == "https://ops.example.org"
    assert origin(asked("ops.example.org"), **at) is None  # that is another site


def test_where_somebody_else_chose_the_port_any_is_ours() -> None:
    assert origin(asked("localhost:1234")) is None
    assert origin(asked("localhost:1234"), any_port=True) == "http://localhost:1234"
    assert origin(asked("localhost:1234"), path="/run/x") == "http://localhost:1234"
    assert origin(asked("localhost:1234"), trusted_proxies=("192.0.2.0/24",)) is not None
    assert origin(asked("evil:1234"), trusted_proxies=("192.0.2.0/24",)) is None


@pytest.mark.parametrize(
    ("sender", "trusted", "found"),
    [
        ("192.0.2.9", (), "192.0.2.9"),
        ("192.0.2.9", ("192.0.2.9",), "203.0.113.5"),
        ("192.0.2.9", ("192.0.2.0/24",), "203.0.113.5"),
        ("::ffff:192.0.2.9", ("192.0.2.9",), "203.0.113.5"),
        ("192.0.2.9", ("unix",), "192.0.2.9"),
        ("", ("unix",), "203.0.113.5"),
        ("localhost", ("unix",), "203.0.113.5"),
        ("localhost", ("127.0.0.1",), "unix"),
        ("nonsense", ("127.0.0.1",), "nonsense"),
    ],
)
def test_only_proxies_that_are_trusted_say_whom_they_ask_for(
    sender: str, trusted: tuple[str, ...], found: str
) -> None:
    request = asked(sender=sender or "x", x_forwarded_for="10.9.9.9, 203.0.113.5")
    request.env["REMOTE_ADDR"] = sender
    assert Addresses(Settings(trusted_proxies=trusted)).sender(request) == found


def test_what_a_proxy_says_has_to_be_an_address() -> None:
    addresses = Addresses(Settings(trusted_proxies=("192.0.2.9",)))
    assert addresses.sender(asked(x_forwarded_for="who=root outcome=done")) == "192.0.2.9"
    assert addresses.sender(asked()) == "192.0.2.9"
