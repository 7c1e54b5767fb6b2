"""How the console is set up: one section of a file, one field for each option."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from circus.access import Role
from circus.config import kinds
from circus.config.ini import Parsed
from circus.config.schema import Problem, in_order, nearest, option, read, section
from circus.exc import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION = "console"
FILE = "/etc/circus/console.ini"
VARIABLE = "CIRCUS_CONSOLE"
"""Of the environment; names another file."""
HOST = "localhost"
PORT = 8080
ROLE = kinds.choice("role", *Role)
UNIX = "unix"
"""Among proxies: whoever connects through a Unix socket."""


def _proxies(value: object) -> tuple[str, ...]:
    found: tuple[str, ...] = kinds.NAMES.parse(value)
    for one in found:
        if one != UNIX:
            try:
                ipaddress.ip_network(one)
            except ValueError:
                say = f"{one!r} is not an address, a network such as 10.0.0.0/8, or {UNIX}"
                raise ValueError(say) from None
    return found


def _url(value: object) -> str:
    text = str(value).strip().rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ValueError(f"{value!r} is not an address such as https://ops.example.org")
    return text


PROXIES = kinds.Kind("proxies, with commas", "Addresses, networks such as `10.0.0.0/8`, and "
    "`unix`.", _proxies, list)  # fmt: skip
URL = kinds.Kind("address of a site", "`http://` or `https://`, a name, and a port if need be.",
    _url)  # fmt: skip


@section
class Settings:
    """The web console, which is circushttpd."""

    # fmt: off

    endpoint: str | None = option(kinds.ENDPOINT, default=None,
        doc="circusd's control endpoint; the usual one that lives unless given.")
    ssh: str | None = option(kinds.TEXT, default=None,
        doc="`user@host[:port]`: the circusd of that machine, reached with the ssh of this one.")
    host: str = option(kinds.TEXT, default=HOST, doc="The address to listen at.")
    port: int = option(kinds.PORT, default=PORT, doc="The port to listen at.")
    path: str | None = option(kinds.TEXT, default=None,
        doc="A Unix socket to listen at instead, for a proxy on this machine.")
    exposed: bool = option(kinds.BOOLEAN, default=False,
        doc="Listen where other machines can connect also when nothing here says who may log in, "
        "or by which name they know the console.")
    url: str = option(URL, default="",
        doc="Where browsers find the console, such as `https://ops.example.org`; behind a proxy.")
    allowed_hosts: tuple[str, ...] = option(kinds.NAMES, default=(),
        doc="Names, with a port or without, that browsers may know the console by, besides "
        "`localhost`, `host` and that of `url`. A request for any other is refused.")
    password_file: str | None = option(kinds.TEXT, default=None,
        doc="Users with passwords, and tokens; `circushttpd passwd` and `token` write it.")
    session_idle: float = option(kinds.SECONDS, default=8 * 3600.0,
        doc="After so long without a request somebody has to log in again.")
    session_max: float = option(kinds.SECONDS, default=24 * 3600.0,
        doc="After so long everybody has to log in again.")
    state_dir: str | None = option(kinds.TEXT, default=None,
        doc="A folder for the key of this console and for who is logged in, so that a restart "
        "logs nobody out; without it they are in memory alone.")
    trusted_proxies: tuple[str, ...] = option(PROXIES, default=(),
        doc="Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` "
        "are believed; `unix` is whoever connects through a Unix socket.")
    proxy_user_header: str | None = option(kinds.TEXT, default=None,
        doc="The header in which these proxies say who has logged in with them, such as "
        "`X-Remote-User`. Nobody else is believed.")
    proxy_role: str | None = option(ROLE, default=None,
        doc="What such a user may do who is not in `password_file`; nothing unless given.")
    readonly: bool = option(kinds.BOOLEAN, default=False,
        doc="Nobody changes anything through this console.")
    allow_add: bool = option(kinds.BOOLEAN, default=False,
        doc="Watchers may be added through this console, which is to run any command.")
    metrics_open: bool = option(kinds.BOOLEAN, default=False,
        doc="`/metrics` and `/readyz` are for everybody, without a token.")
    streams: int = option(kinds.COUNT, default=32,
        doc="Browsers that may be told of changes at the same time; further ones ask now and then.")
    threads: int = option(kinds.COUNT, default=48,
        doc="Requests that are answered at the same time, streams included.")
    any_port: bool = field(default=False)
    """Whether whoever serves us chose where: a descriptor, or another WSGI server."""
    # fmt: on


def settings(file: str | None, flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """From a file and from a command line, which goes first; a flag that is None was not given.

    Without `file` it is the one that the environment names, or FILE if that is there. Raises
    ConfigError with everything that is wrong.
    """
    named = file or environ.get(VARIABLE)
    path = named or FILE
    values = _read(path) if named or os.path.exists(path) else {}
    given = {name: value for name, value in flags.items() if value is not None}
    if "host" in given or "port" in given:
        values.pop("path", None)
    return Settings(**{**values, **given})


def _read(path: str) -> dict[str, Any]:
    parsed = Parsed()
    try:
        parsed.read(Path(path).read_bytes(), path)
    except OSError as error:
        raise ConfigError([Problem(path, f"cannot read it: {error.strerror}")]) from error
    others = [one for one in parsed.sections.values() if one.name != SECTION]
    problems = list(parsed.problems)
    problems += [Problem(one.where, f"unknown section [{one.name}]") for one in others]
    ours = parsed.sections.get(SECTION)
    if ours is None:
        raise ConfigError(in_order([*problems, Problem(path, f"there is no [{SECTION}] in it")]))
    given = {key: entry.value for key, entry in ours.options.items()}
    found = read(Settings, given, lambda key: ours.options[key].where)
    problems += found.problems
    for key in found.extra:
        say = f"unknown option {key!r}{nearest(Settings, key)}"
        problems.append(Problem(ours.options[key].where, say))
    if found.values.get("proxy_user_header") and not found.values.get("trusted_proxies"):
        say = "proxy_user_header: nobody is believed without trusted_proxies"
        problems.append(Problem(ours.options["proxy_user_header"].where, say))
    if problems:
        raise ConfigError(in_order(problems))
    return found.values
