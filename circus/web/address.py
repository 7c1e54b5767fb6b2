"""Where a request comes from and what it calls us, as far as that can be believed."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from circus.web.settings import HOST, UNIX

if TYPE_CHECKING:
    import falcon

    from circus.web.settings import Settings

AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
USUAL = {"http": 80, "https": 443}
EVERYWHERE = ("", "*", "0.0.0.0", "::")  # noqa: S104 addresses to listen at, and no names
OURS = (HOST, "127.0.0.1", "::1")


class Site(NamedTuple):
    """What a browser calls us."""

    scheme: str
    host: str
    """A name, or an address without brackets."""
    port: int

    @property
    def origin(self) -> str:
        """As in the header `Origin`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if USUAL.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


class Addresses:
    """Tells, by what a console was set up with, whom to believe and which names are ours."""

    def __init__(self, settings: Settings) -> None:
        self._unix = UNIX in settings.trusted_proxies
        self._proxies = [ipaddress.ip_network(n) for n in settings.trusted_proxies if n != UNIX]
        self._port = None if settings.any_port or settings.path else settings.port
        self._any: set[str] = set()
        self._with_port: set[tuple[str, int]] = set()
        for name in settings.allowed_hosts:
            host, port = split_authority(name) or (name.lower(), None)
            if port is None:
                self._any.add(host)
            else:
                self._with_port.add((host, port))
        own = {*OURS, settings.host.lower().strip("[]")} - set(EVERYWHERE)
        self._own = own
        if settings.url:
            parts = urlsplit(settings.url)
            port = parts.port or USUAL[parts.scheme]
            self._with_port.add((parts.hostname or "", port))

    def is_proxy(self, req: falcon.Request) -> bool:
        """Whether it comes from a proxy that is trusted."""
        sender = _sender(req)
        if sender == UNIX:
            return self._unix
        try:
            address = _address(sender)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def sender(self, req: falcon.Request) -> str:
        """The address it comes from, `unix` for a Unix socket."""
        told = _last(req, "X-FORWARDED-FOR") if self.is_proxy(req) else ""
        try:
            return str(_address(told))
        except ValueError:
            return _sender(req)

    def site(self, req: falcon.Request) -> Site | None:
        """What the request calls us; None when we are not called so."""
        proxied = self.is_proxy(req)
        scheme = _last(req, "X-FORWARDED-PROTO").lower() if proxied else ""
        scheme = scheme if scheme in USUAL else req.env["wsgi.url_scheme"]
        found = split_authority(req.get_header("HOST") or "")
        if found is None:
            return None
        host, given = found
        port = USUAL[scheme] if given is None else given
        fits = self._port is None or proxied or port == self._port
        if host in self._any or (host, port) in self._with_port or (host in self._own and fits):
            return Site(scheme, host, port)
        return None


def split_authority(text: str) -> tuple[str, int | None] | None:
    """Host in lower case, port; None for what is neither one name nor one address."""
    found = AUTHORITY.fullmatch(text.lower())
    if found is None or int(found[2] or 0) > 65535:
        return None
    return found[1].strip("[]").rstrip("."), None if found[2] is None else int(found[2])


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Raises ValueError. A socket for both families has IPv4 in IPv6's clothes."""
    found = ipaddress.ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found


def _sender(req: falcon.Request) -> str:
    """Of a Unix socket servers say nothing, or a name that no other connection has."""
    sender: str = req.env.get("REMOTE_ADDR") or UNIX
    return UNIX if sender in ("localhost", "unix") else sender


def _last(req: falcon.Request, name: str) -> str:
    """What the proxy next to us has written; what comes before it was there already."""
    return (req.get_header(name) or "").rpartition(",")[2].strip()
