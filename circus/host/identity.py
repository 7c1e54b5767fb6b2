"""Names of users, groups and limits to the numbers the kernel wants."""

from __future__ import annotations

import grp
import os
import pwd
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.exc import SpawnError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a program runs as; None means "as the daemon"."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


def must_be_looked_up(config: WatcherConfig) -> bool:
    """Whether who its workers run as has to be asked of a name service, which may block."""
    return config.uid is not None or config.gid is not None or bool(config.supplementary_groups)


def identity(
    uid: str | int | None, gid: str | int | None, groups: tuple[str, ...] | None
) -> Identity:
    """Look the names up. May block on a name service. Raises SpawnError.

    Groups are always set anew when the user or the group changes: a program never keeps those
    of the daemon.
    """
    if uid is None and gid is None and groups is None:
        return Identity()
    user = None if uid is None else _user(uid)
    gid_number = gid_of(gid) if gid is not None else None
    uid_number = None
    if user is not None:
        uid_number, name, primary = user
        if gid_number is None:
            gid_number = primary
        if groups is None and name is None:
            raise SpawnError(
                f"cannot run as uid {uid_number}: it is not in the user database, so its groups "
                "are unknown; set supplementary_groups (it may be empty)"
            )
        if gid_number is None:
            raise SpawnError(f"cannot run as uid {uid_number}: it has no group; set gid")
    numbers = _groups(groups, None if user is None else user[1], gid_number)
    found = Identity(uid_number, gid_number, numbers)
    return Identity() if _is_ours(found) else found


def _groups(groups: tuple[str, ...] | None, user: str | None, gid: int | None) -> tuple[int, ...]:
    if groups is not None:
        return tuple(gid_of(group) for group in groups)
    if user is None or gid is None:
        return ()
    return tuple(os.getgrouplist(user, gid))


def _is_ours(found: Identity) -> bool:
    """Whether we are that already: then nothing needs a privilege."""
    return (
        found.uid in (None, os.geteuid())
        and found.gid in (None, os.getegid())
        and os.geteuid() != 0
        and set(found.groups or ()) <= {*os.getgroups(), os.getegid()}
    )


def _user(who: str | int) -> tuple[int, str | None, int | None]:
    text = str(who)
    try:
        entry = pwd.getpwuid(int(text)) if text.isdecimal() else pwd.getpwnam(text)
    except KeyError:
        if text.isdecimal():
            return int(text), None, None
        raise SpawnError(f"cannot run as {text!r}: there is no such user") from None
    return entry.pw_uid, entry.pw_name, entry.pw_gid


def uid_of(who: str | int) -> int:
    """The number of a user. May block on a name service. Raises SpawnError."""
    return _user(who)[0]


def gid_of(which: str | int) -> int:
    """The number of a group. May block on a name service. Raises SpawnError."""
    text = str(which)
    if text.isdecimal():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise SpawnError(f"cannot run with group {text!r}: there is no such group") from None


def limits(
    wanted: Mapping[str, tuple[int | None, int | None]],
) -> tuple[tuple[int, int | None, int | None], ...]:
    """`{"nofile": (soft, hard)}` to kernel numbers. Raises SpawnError for an unknown name."""
    return tuple(_one_limit(name, soft, hard) for name, (soft, hard) in wanted.items())


def _one_limit(name: str, soft: int | None, hard: int | None) -> tuple[int, int | None, int | None]:
    number = getattr(resource, f"RLIMIT_{name.upper()}", None)
    if not isinstance(number, int):
        raise SpawnError(f"cannot set rlimit_{name}: there is no such limit")
    if name.lower() == "nofile":  # the kernel refuses "unlimited" descriptors: the most we may have
        most = resource.getrlimit(number)[1]
        soft, hard = (most if value is None else value for value in (soft, hard))
    return number, soft, hard
