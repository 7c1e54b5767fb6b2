"""Who may do what: roles, those who ask, and what the configuration grants them.

Pure: names and numbers are compared here, and looked up elsewhere.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    Named = Collection[str]

EVERYBODY = "*"


class Role(StrEnum):
    """What somebody must be allowed to do; each includes the ones before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether whoever may do this may do the other."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


class Peer(NamedTuple):
    """Who sent a message: a user as the kernel says, a key that was proved, or nobody knows who."""

    uid: int | None = None
    gid: int | None = None
    pid: int | None = None
    groups: tuple[int, ...] = ()
    """All of them, `gid` too."""
    user: str = ""
    """The name of `uid`, when it has one."""
    group_names: tuple[str, ...] = ()
    key: str = ""
    """The name of a CURVE key."""
    granted: Role | None = None
    """What the file of that key grants, or what whoever can connect may do."""

    @property
    def known(self) -> bool:
        """Whether somebody vouches for who it is."""
        return self.uid is not None or bool(self.key)

    def is_among(self, users: Named, groups: Named) -> bool:
        """Whether it is named, by name or by number, as a user or by one of its groups."""
        if self.uid is None:
            return False
        return (
            str(self.uid) in users
            or (bool(self.user) and self.user in users)
            or not {*map(str, self.groups), *self.group_names}.isdisjoint(groups)
        )

    def __str__(self) -> str:
        if self.key:
            return f"the holder of the key {self.key!r}"
        if self.uid is None:
            return "somebody that nobody vouches for"
        return f"{self.user} (uid {self.uid})" if self.user else f"uid {self.uid}"


ANYBODY = Peer(granted=Role.ADMIN)
"""Whoever can connect to a `tcp://` endpoint that has no keys, as in circus 0.19."""


class Operators(Protocol):
    """The part of a watcher's configuration that says who may operate on it."""

    @property
    def operate_users(self) -> Named: ...
    @property
    def operate_groups(self) -> Named: ...


class Lists(Operators, Protocol):
    """The part of the daemon's configuration that says who may do what."""

    @property
    def read_users(self) -> Named: ...
    @property
    def read_groups(self) -> Named: ...
    @property
    def admin_users(self) -> Named: ...
    @property
    def admin_groups(self) -> Named: ...
    @property
    def endpoint_owner(self) -> str | int | None: ...


class Grants(NamedTuple):
    """Lists that were written down, for another process to go by."""

    read_users: Named = ()
    read_groups: Named = ()
    operate_users: Named = ()
    operate_groups: Named = ()
    admin_users: Named = ()
    admin_groups: Named = ()
    endpoint_owner: str | None = None


def role_of(peer: Peer, lists: Lists, own_uid: int) -> Role | None:
    """What a peer may do everywhere; None for nothing. `own_uid`: the daemon's own user."""
    if peer.uid is None:
        return peer.granted
    if peer.uid in (0, own_uid) or is_owner(peer, lists):
        return Role.ADMIN
    if peer.is_among(lists.admin_users, lists.admin_groups):
        return Role.ADMIN
    if peer.is_among(lists.operate_users, lists.operate_groups):
        return Role.OPERATE
    if EVERYBODY in lists.read_users or peer.is_among(lists.read_users, lists.read_groups):
        return Role.READ
    return None


def is_owner(peer: Peer, lists: Lists) -> bool:
    """Whether it is the `endpoint_owner`: an administrator, and what it adds runs as itself."""
    owner = lists.endpoint_owner
    return owner is not None and peer.is_among((str(owner),), ())


def operates(peer: Peer, watcher: Operators) -> bool:
    """Whether a watcher's own configuration lets this peer operate on it."""
    if not watcher.operate_users and not watcher.operate_groups:
        return False
    return peer.is_among(watcher.operate_users, watcher.operate_groups)


class Others(NamedTuple):
    """The users and groups that a configuration lets in, besides root and the daemon's own user."""

    owner: str | None
    users: frozenset[str]
    groups: frozenset[str]


def others(lists: Lists, watchers: Iterable[Operators]) -> Others:
    """All whom the configuration names, whatever they may do."""
    users = {*lists.read_users, *lists.operate_users, *lists.admin_users}
    groups = {*lists.read_groups, *lists.operate_groups, *lists.admin_groups}
    for one in watchers:
        users.update(one.operate_users)
        groups.update(one.operate_groups)
    owner = lists.endpoint_owner
    return Others(None if owner is None else str(owner), frozenset(users), frozenset(groups))
