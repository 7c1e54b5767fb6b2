"""circushttpd as the watcher that runs it, on a socket of its own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from circus.config import beside
from circus.config.model import SocketConfig, WatcherConfig
from circus.config.schema import Problem
from circus.endpoints import reachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circus.config.model import CircusConfig, Config
    from circus.endpoints import Endpoints

    Where = Callable[[str, str], str]

NAME = "circushttpd"
"""Of the watcher and of the socket."""
USER = "circus-console"
"""Who it runs as when circusd is root, unless `httpd_user` says otherwise."""
NEEDS = ("falcon", "jinja2", "waitress")
"""The modules that it cannot do without."""


def user(circus: CircusConfig, uid: int) -> str | int | None:
    """Who the console runs as, where `uid` is circusd's own; None for as circusd itself."""
    return circus.httpd_user if circus.httpd_user is not None or uid else USER


def with_console(config: Config, endpoints: Endpoints, python: str, uid: int) -> Config:
    """The same with that watcher and its socket, when they are wanted; `python` runs it."""
    circus = config.circus
    if not circus.httpd or NAME in config.watchers:
        return config
    watcher = console_watcher(circus, endpoints, python, user(circus, uid))
    family = "AF_INET6" if ":" in circus.httpd_host else "AF_INET"
    sock = SocketConfig(name=NAME, host=circus.httpd_host, port=circus.httpd_port, family=family)
    return dataclasses.replace(
        config,
        watchers=dict(sorted({**config.watchers, NAME: watcher}.items())),
        sockets=dict(sorted({**config.sockets, NAME: sock}.items())),
    )


def console_watcher(
    circus: CircusConfig, endpoints: Endpoints, python: str, runs_as: str | int | None
) -> WatcherConfig:
    """It reaches circusd at its endpoint as any client does, and has the one socket."""
    command = (
        *("-P", "-m", "circus.web.circushttpd"),
        *("--endpoint", reachable(endpoints.control)),
        *("--host", circus.httpd_host),
        *("--fd", f"$(circus.sockets.{NAME})"),
        *beside.arguments(circus),
    )
    return WatcherConfig(
        name=NAME,
        cmd=python,
        args=command,
        uid=runs_as,
        no_new_privileges=True,
        use_sockets=True,
        **beside.options(circus, closed=circus.httpd_close_outputs),
    )


def console_rules(config: Config, where: Where) -> Iterator[Problem]:
    """What stands in its way."""
    for kind, found in (("watcher", config.watchers), ("socket", config.sockets)):
        if config.circus.httpd and NAME in found:
            say = f"circusd has a {kind} of this name itself: rename this one, or set httpd = False"
            yield Problem(where(f"{kind}:{found[NAME].name}", ""), say)
