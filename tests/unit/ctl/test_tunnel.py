"""How servers and endpoints are written for ssh."""

from __future__ import annotations

import pytest

from circus.endpoints import ssh_destination
from circus.exc import CallError
from circus.tunnel import Tunnel, target


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("example.org", "example.org", ""),
        ("me@example.org:2222", "me@example.org", "2222"),
        ("::1", "::1", ""),
        ("me@[::1]:22", "me@::1", "22"),
        ("[fe80::1%eth0]", "fe80::1%eth0", ""),
        ("me@host:name", "me@host:name", ""),
    ],
)
def test_a_server(server: str, host: str, port: str) -> None:
    assert ssh_destination(server) == (host, port)


@pytest.mark.parametrize("server", ["", "-oProxyCommand=x", "a b", "a\nb", ":22"])
def test_a_server_that_is_none(server: str) -> None:
    with pytest.raises(CallError, match=r"is not \[user@\]host\[:port\]"):
        Tunnel(server)


@pytest.mark.parametrize(
    ("endpoint", "there"),
    [
        ("ipc:///run/circus/control", "/run/circus/control"),
        ("tcp://127.0.0.1:5555", "127.0.0.1:5555"),
        ("tcp://[::1]:5555", "[::1]:5555"),
        ("tcp://*:5555", "localhost:5555"),
        ("tcp://0.0.0.0:5555", "localhost:5555"),
    ],
)
def test_an_endpoint(endpoint: str, there: str) -> None:
    assert target(endpoint) == there


@pytest.mark.parametrize(
    "endpoint",
    ["nonsense", "ipc://relative", "ipc:///a:b", "ipc:///%d", "ipc:///$HOME", "tcp://host"],
)
def test_an_endpoint_that_ssh_would_read_otherwise(endpoint: str) -> None:
    with pytest.raises(CallError, match="write tcp://host:port or ipc:///path"):
        target(endpoint)


def test_the_program_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIRCUS_SSH", "no-such-ssh -F file")
    with pytest.raises(CallError, match="no-such-ssh is not installed"):
        Tunnel("host")
    monkeypatch.setenv("CIRCUS_SSH", "'")
    with pytest.raises(CallError, match=r"cannot read \$CIRCUS_SSH"):
        Tunnel("host")
