"""Who is at the other end of a connection, and who may open one."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from typing import TYPE_CHECKING, NamedTuple

import zmq
from zmq.utils import z85

from circus.access import ANYBODY, Peer, Role
from circus.aside import aside
from circus.control.keys import Holder, authorized
from circus.endpoints import ipc_path
from circus.exc import CircusError, SpawnError
from circus.host import identity, people
from circus.host.socketfile import PRIVATE, Access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.access import Others
    from circus.control.zap import Knock

    MayLook = Callable[[Peer], bool]
    Identify = Callable[[zmq.Frame], Peer]

CONTROL = "control"
EVENTS = "events"
OURSELVES = Holder("circusd", Role.READ)
"""Who has circusd's own key, as circusd-stats does."""
REMEMBERED = 10.0
"""Seconds for which nobody is asked again what a user and its groups are called."""
REMEMBERED_MAX = 1000


class Curve(NamedTuple):
    """What a `tcp://` endpoint needs to be closed to strangers."""

    secret: bytes
    folder: str


class Gate:
    """Knows everybody who connects. Belongs to the loop's thread.

    A user is known from the moment of the connection on: its groups are those it had then. Whoever
    can open a control socket on this machine may connect to it, and is told in words what it may
    not do; events have no words, so strangers are kept out.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        may_look: MayLook,
        curve: Curve | None = None,
    ) -> None:
        self._loop = loop
        self._may_look = may_look
        self._curve = curve
        self._own_uid = os.geteuid()
        self._holders: Mapping[bytes, Holder] = {}
        self._names = Names(loop)

    def guard(self, sock: zmq.Socket[bytes], endpoint: str, domain: str) -> Identify:
        """Have this gate judge who connects to a socket, before it is bound."""
        if ipc_path(endpoint) is not None:
            sock.setsockopt_string(zmq.ZAP_DOMAIN, domain)
            return user_of
        if self._curve is None:
            return anybody
        sock.setsockopt_string(zmq.ZAP_DOMAIN, domain)
        sock.curve_server = True
        sock.curve_secretkey = self._curve.secret
        return self._holder_of

    def judge(self, knock: Knock) -> asyncio.Future[str | None] | str | None:
        """For `zap.Zap`: the name of the connection, which `guard`'s functions read."""
        if knock.mechanism == "CURVE" and self._curve is not None:
            return asyncio.ensure_future(self._judge_key(knock, self._curve), loop=self._loop)
        if knock.mechanism != "NULL":
            return None
        try:
            uid, gid, pid = map(int, knock.address.split(":")[1:])
        except ValueError:
            return None
        if uid in (0, self._own_uid):
            # nothing that may take its time stands between them and their daemon
            return written(Peer(uid, gid, pid, (gid,), "root" if uid == 0 else ""))
        groups = people.groups_of_process(pid, uid)
        return asyncio.ensure_future(
            self._judge_user(knock, Peer(uid, gid, pid), groups), loop=self._loop
        )

    async def _judge_user(
        self, knock: Knock, peer: Peer, groups: tuple[int, ...] | None
    ) -> str | None:
        peer = await self._names.of(peer, groups)
        if knock.domain == EVENTS and not self._may_look(peer):
            return None
        return written(peer)

    async def _judge_key(self, knock: Knock, curve: Curve) -> str | None:
        known = await aside(self._loop, lambda: authorized(curve.folder))
        self._holders = {zmq.curve_public(curve.secret): OURSELVES, **known}
        key = z85.encode(knock.credentials[0])
        return key.decode() if key in self._holders else None

    def _holder_of(self, frame: zmq.Frame) -> Peer:
        holder = self._holders.get(str(frame.get("User-Id")).encode())
        # a key that was taken away lets its holder do nothing any more
        return Peer(key="gone") if holder is None else Peer(key=holder.name, granted=holder.role)


def anybody(_frame: zmq.Frame) -> Peer:
    """Where nobody is asked for a name."""
    return ANYBODY


def user_of(frame: zmq.Frame) -> Peer:
    """Who was let in by `judge`; nobody else can write this property, so it is trusted."""
    return _read(str(frame.get("User-Id")))


def written(peer: Peer) -> str:
    """As the name of a connection."""
    return json.dumps(peer[:6])


@functools.lru_cache(maxsize=1024)
def _read(name: str) -> Peer:
    uid, gid, pid, groups, user, group_names = json.loads(name)
    return Peer(uid, gid, pid, tuple(groups), user, tuple(group_names))


class Names:
    """What users and groups are called, asked of the system aside and remembered for a while."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._found: dict[object, tuple[float, asyncio.Future[Peer]]] = {}

    async def of(self, peer: Peer, groups: tuple[int, ...] | None) -> Peer:
        """The same with names, and with the groups of that user when they are not known."""
        now = self._loop.time()
        key = (peer.uid, peer.gid, groups)
        since, found = self._found.get(key, (0.0, None))
        if found is None or now - since > REMEMBERED:
            if len(self._found) >= REMEMBERED_MAX:
                self._found.clear()
            found = aside(self._loop, lambda: _look_up(peer, groups))
            self._found[key] = now, found
        return (await asyncio.shield(found))._replace(pid=peer.pid)


def _look_up(peer: Peer, groups: tuple[int, ...] | None) -> Peer:
    uid, gid = peer.uid or 0, peer.gid or 0
    if groups is None:
        groups = people.groups_of_user(uid, gid)
    every = tuple(dict.fromkeys((gid, *groups)))
    names = tuple(filter(None, map(people.group_name, every)))
    return peer._replace(groups=every, user=people.user_name(uid), group_names=names)


def ownership(named: Others) -> Access:
    """How wide the files of the sockets have to be, for those whom a configuration names.

    May block on a name service. Raises CircusError for an owner that cannot be.
    """
    owner = None if named.owner is None else _owner(named.owner)
    if not named.users and not named.groups:
        return Access(owner, mode=PRIVATE)
    if not named.users and len(named.groups) == 1:
        gid = _gid(next(iter(named.groups)))
        if gid is not None and _may_give_to(gid):
            return Access(owner, gid, 0o660)
    # a file has one owner and one group: for more, it lets all in, and we ask who they are
    return Access(owner, mode=0o666)


def _owner(name: str) -> int:
    try:
        uid = identity.identity(name, 0, ()).uid
    except SpawnError as error:
        raise CircusError(f"endpoint_owner: there is no user {name!r}") from error
    if uid is not None and uid != os.geteuid() and os.geteuid() != 0:
        raise CircusError(f"endpoint_owner: only root can give a socket to {name!r}")
    return os.geteuid() if uid is None else uid


def _gid(name: str) -> int | None:
    try:
        return identity.identity(None, name, ()).gid
    except SpawnError:
        return None


def _may_give_to(gid: int) -> bool:
    return os.geteuid() == 0 or gid in (os.getegid(), *os.getgroups())
