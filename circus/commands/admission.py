"""May this peer have this command? Says what is missing and whom to ask when it may not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from circus.access import Role, operates, role_of
from circus.exc import Denied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.access import Peer
    from circus.commands.command import Command
    from circus.engine import Engine

ASK = "ask an administrator of this circusd to"
NAMES_SHOWN = 5
"""Watchers that a denial names, of many."""


def general_role(engine: Engine, peer: Peer) -> Role | None:
    """What a peer may do everywhere; who may operate on one watcher may look at all."""
    role = role_of(peer, engine.config.circus, os.geteuid())
    if role is None and any(operates(peer, one.config) for one in engine.watchers):
        return Role.READ
    return role


def look_over(engine: Engine, peer: Peer, verb: str) -> Role:
    """What a peer may do everywhere. Raises Denied when it is nothing, whatever it asks for."""
    role = general_role(engine, peer)
    if role is None:
        raise Denied(_denial(verb, [], Role.READ, peer, None))
    return role


def admit(engine: Engine, peer: Peer, role: Role, command: Command) -> Command:
    """The command as the peer may have it, who has `role` everywhere. Raises Denied, NotFound."""
    needed = command.needs
    if not role.includes(needed):
        lacking = _lacking(engine, peer, needed, command)
        if lacking is None or lacking:
            beyond = command.beyond(role)
            raise Denied(_denial(command.verb, lacking or [], needed, peer, role, beyond))
    return command.asked_by(peer, role, engine)


def _lacking(engine: Engine, peer: Peer, needed: Role, command: Command) -> list[str] | None:
    """The watchers it is about that this peer may not operate on; None: none would be enough."""
    watchers = command.concerns(engine) if needed is Role.OPERATE else None
    if watchers is None:
        return None
    return [one.name for one in watchers if not operates(peer, one.config)]


def _denial(
    verb: str,
    watchers: Sequence[str],
    needed: Role,
    peer: Peer,
    role: Role | None,
    details: str = "",
) -> str:
    what = f"{verb!r}" + (f" of {details}" if details else "")
    if watchers:
        many = len(watchers) - NAMES_SHOWN
        shown = ", ".join(watchers[:NAMES_SHOWN]) + (f" and {many} more" if many > 0 else "")
        what += f" on {shown}"
    has = f"may {role}" if role else "may do nothing here"
    return (
        f"denied: {what} needs {needed}; you are {peer}, who {has}; {_whom(needed, peer, watchers)}"
    )


def _whom(needed: Role, peer: Peer, watchers: Sequence[str]) -> str:
    if peer.key:
        return f"{ASK} write role = {needed} into the file of your key"
    ask = f"{ASK} add you to {needed}_users or {needed}_groups in [circus]"
    if len(watchers) == 1:
        ask += f" (or operate_users of [watcher:{watchers[0]}])"
    elif watchers:
        ask += " (or operate_users of these watchers)"
    return ask
