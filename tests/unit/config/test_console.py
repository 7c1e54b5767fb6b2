"""The web console as a watcher of circusd."""

from __future__ import annotations

from typing import Any

import pytest

from circus.config.console import NAME, user, with_console
from circus.config.model import CircusConfig, Config
from circus.endpoints import Endpoints

AT = Endpoints("ipc:///run/circus/control", "ipc:///run/circus/pubsub", "ipc:///run/circus/stats")


def config(**options: Any) -> Config:
    return Config(circus=CircusConfig(**options), watchers={}, sockets={}, plugins={})


@pytest.mark.parametrize(
    ("given", "uid", "found"),
    [(None, 0, "circus-console"), ("web", 0, "web"), (None, 1000, None), ("web", 1000, "web")],
)
def test_only_who_is_told_so_runs_it_as_root(
    given: str | None, uid: int, found: str | None
) -> None:
    assert user(CircusConfig(httpd_user=given), uid) == found


def test_it_comes_only_when_it_is_wanted_and_once() -> None:
    assert with_console(config(), AT, "python3", 0) == config()
    made = with_console(config(httpd=True), AT, "python3", 0)
    assert with_console(made, AT, "python3", 0) == made
    assert [*made.watchers] == [*made.sockets] == [NAME]
    assert made.watchers[NAME].uid == "circus-console"


@pytest.mark.parametrize(
    ("host", "family"), [("localhost", "AF_INET"), ("127.0.0.2", "AF_INET"), ("::1", "AF_INET6")]
)
def test_its_socket_is_where_httpd_host_says(host: str, family: str) -> None:
    made = with_console(config(httpd=True, httpd_host=host, httpd_port=81), AT, "python3", 1000)
    sock = made.sockets[NAME]
    assert (sock.host, sock.port, sock.family) == (host, 81, family)
    assert ("--host", host) == made.watchers[NAME].args[5:7]


def test_it_reaches_circusd_through_the_same_ssh() -> None:
    made = with_console(config(httpd=True, ssh_server="me@there"), AT, "python3", 1000)
    assert "--ssh=me@there" in made.watchers[NAME].args
