"""Which groups somebody is in, and what users and groups are called."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path


def groups_of_process(pid: int, uid: int) -> tuple[int, ...] | None:
    """The supplementary groups of a process; None when it is gone, or is another user's by now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = dict(line.partition(":")[::2] for line in lines.splitlines())
    if found.get("Uid", "").split()[1:2] != [str(uid)]:  # the effective one
        return None
    return tuple(map(int, found["Groups"].split()))


def groups_of_user(uid: int, gid: int) -> tuple[int, ...]:
    """The groups that a user has after a login. May block on a name service."""
    try:
        return tuple(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        return (gid,)


def user_name(uid: int) -> str:
    """Its name, or nothing. May block on a name service.

    Only a name that leads back to it: two sources of users may use one name. None of digits, which
    would be taken for a number.
    """
    try:
        name = pwd.getpwuid(uid).pw_name
        return name if pwd.getpwnam(name).pw_uid == uid and not name.isdecimal() else ""
    except KeyError:
        return ""


def group_name(gid: int) -> str:
    """The same of a group."""
    try:
        name = grp.getgrgid(gid).gr_name
        return name if grp.getgrnam(name).gr_gid == gid and not name.isdecimal() else ""
    except KeyError:
        return ""
