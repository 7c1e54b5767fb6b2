"""A .socket unit of systemd to sockets of circusd."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.report import (
    Handler,
    Option,
    Verdict,
    changed,
    decide,
    handled,
    kept,
    lost,
    says,
)
from circus.importers.systemd.text import is_true, specified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.importers.draft import Draft
    from circus.importers.report import Report
    from circus.importers.systemd.read import Unit

TYPES = {
    "ListenStream": "SOCK_STREAM",
    "ListenDatagram": "SOCK_DGRAM",
    "ListenSequentialPacket": "SOCK_SEQPACKET",
}
ADDRESS = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
OF_PATHS = {"owner": True, "group": True, "mode": True, "interface": False}
"""Options that only sockets with a path have, or only those without."""
MODE = "0666"
"""Of a path that the unit says nothing of."""


@dataclass
class Sockets:
    """What is in one unit."""

    unit: Unit
    draft: Draft
    stem: str
    specifiers: Mapping[str, str]
    names: list[str] = field(default_factory=list)
    """Of the sections that were written."""
    paths: list[str] = field(default_factory=list)
    """Those of them that have a path."""

    def put(self, key: str, value: str) -> str:
        """Set an option of each socket that can have it. Raises Unfit."""
        on_path = OF_PATHS.get(key)
        names = [one for one in self.names if on_path is None or (one in self.paths) is on_path]
        for name in names:
            self.draft.put(f"socket:{name}", key, value)
        return f"{key} = {value}" if names else "nothing: it is for other sockets than these"


def sockets(unit: Unit, draft: Draft, stem: str, specifiers: Mapping[str, str],
            report: Report) -> list[str]:  # fmt: skip
    """Write what a unit listens on. Gives the names of the sockets, in their order."""
    found = Sockets(unit, draft, stem, specifiers)
    accepts = is_true(unit.value("Socket", "Accept", "no"))
    for key in TYPES:
        for option in unit.options("Socket", key):
            if accepts:
                report.add(option, lost("left out, see Accept="))
            else:
                report.add(option, handled(_listen, found, option))
    if not accepts and not unit.options("Socket", "SocketMode"):
        found.put("mode", MODE)
    for key, options in unit.sections.get("Socket", {}).items():
        for option in options if key not in TYPES else ():
            report.add(option, handled(SOCKET.get(key, _other), found, option))
    return found.names


def _listen(found: Sockets, option: Option) -> Verdict:
    address = specified(option.value, found.specifiers)
    wanted = found.unit.value("Socket", "FileDescriptorName") or found.stem
    name = found.draft.free_name("socket", wanted).lower()
    section = f"socket:{name}"
    with found.draft.whole(section):
        _put_address(found.draft, section, address)
        if TYPES[option.key] != "SOCK_STREAM":
            found.draft.put(section, "type", TYPES[option.key])
    found.names.append(name)
    if found.draft.has(section, "path"):
        found.paths.append(name)
    return kept(f"[{section}]")


def _put_address(draft: Draft, section: str, address: str) -> None:
    match = ADDRESS.fullmatch(address)
    if address.startswith("/"):
        draft.put(section, "path", address)
    elif address.isdecimal():
        draft.put(section, "family", "AF_INET6")
        draft.put(section, "host", "::")
        draft.put(section, "port", address)
    elif match is not None:
        draft.put(section, "host", match["six"] or match["four"])
        draft.put(section, "port", match["port"])
        if match["six"]:
            draft.put(section, "family", "AF_INET6")
    else:
        raise Unfit(f"circusd cannot listen at {address}", "leave the socket to systemd: activated")


def _plain(key: str) -> Handler[Sockets]:
    return lambda found, option: kept(found.put(key, specified(option.value, found.specifiers)))


def _accept(_found: Sockets, option: Option) -> Verdict:
    if not is_true(option.value):
        return kept("workers accept connections themselves")
    say = "circusd starts no worker for each connection"
    return decide(say, "leave both units to systemd, or use a server that accepts by itself")


def _service(_found: Sockets, _option: Option) -> Verdict:
    return kept("the watcher that is given the sockets")


def _name(found: Sockets, _option: Option) -> Verdict:
    if len(found.names) > 1:
        return changed(f"in LISTEN_FDNAMES each has its own name: {', '.join(found.names)}")
    return kept("the name of the socket, in LISTEN_FDNAMES too")


def _six_only(_found: Sockets, option: Option) -> Verdict:
    if option.value in ("default", "both"):
        return kept("as the kernel has it: a port without an address is that of IPv4 too")
    return decide("a port without an address is that of IPv4 too", "name an address in host")


def _other(_found: Sockets, _option: Option) -> Verdict:
    return lost("sockets of circusd have nothing like it", "let systemd open it: activated = True")


SOCKET: Mapping[str, Handler[Sockets]] = {
    "Accept": _accept,
    "Service": _service,
    "SocketUser": _plain("owner"),
    "SocketGroup": _plain("group"),
    "SocketMode": _plain("mode"),
    "Backlog": _plain("backlog"),
    "BindToDevice": _plain("interface"),
    "FileDescriptorName": _name,
    "BindIPv6Only": _six_only,
    "ReusePort": says(kept("a restart is always possible, and workers share one socket")),
    "RemoveOnStop": says(changed("a path that circusd made it removes, always")),
    "DirectoryMode": says(
        decide("the folder of a path has to be there", "make it with systemd-tmpfiles")
    ),
}
"""What becomes of each directive of [Socket] but for those that say where to listen."""
