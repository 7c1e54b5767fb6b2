"""Whatever a page or the API asks of circusd for somebody: looked into here, done, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from circus.access import Role
from circus.commands import find
from circus.exc import Denied, UnknownCommand
from circus.web.controller import Crowded, Late

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.commands import Command
    from circus.web.parts import Parts
    from circus.web.settings import Settings
    from circus.web.visitor import Visitor

PATIENCE = 8.0
"""Seconds that a request waits for what takes its time; then it is told that it goes on."""

ELSEWHERE: Mapping[str, str] = {
    "console-login": "whoever is here has logged in; for somebody else use circusctl",
    "console-redeem": "/login does that",
    "foresee": "it is asked for with dry_run=true at the command itself",
    "import": "files are read and written where circusctl runs: use circusctl",
    "keygen": "keys are made where they are kept: use circusctl",
    "listen": "what happens is told at /live",
    "logs": "output is read at the watcher's logs, as the console itself may",
    "quit": "it ends circusd, and whoever wants that has a shell on its machine: use circusctl",
}
"""Verbs that the console does not pass on, and why."""

ONLY_LOOKS = "this console only looks: its setting readonly is on"
STRICTER: Mapping[str, Role] = {"add": Role.ADMIN}
"""Verbs that take more here: what operators add runs as themselves, and circusd would take the
console for the operator."""


class Reply(NamedTuple):
    """What came of it."""

    fields: dict[str, Any]
    """circusd's answer."""
    finished: bool
    """False: it has begun, and goes on."""


def perform(
    parts: Parts,
    visitor: Visitor,
    verb: str,
    properties: Mapping[str, object],
    *,
    waiting: bool = False,
    dry_run: bool = False,
) -> Reply:
    """Have circusd do it, or with `dry_run` tell what it would do (`steps`).

    `waiting`: answered when it is done, if that is within PATIENCE. Raises MessageError for
    what is wrong, Denied, Refused for circusd's no, CallError when circusd does not answer. Blocks.
    """
    command = understood(verb, properties)
    outcome = "refused"
    try:
        _admit(parts.settings, visitor, command)
        reply = _done(parts, command, properties, waiting=waiting, dry_run=dry_run)
        outcome = "done" if reply.finished else "begun"
    except Denied:
        outcome = "denied"
        raise
    finally:
        what = (visitor, command.verb, command.target(), command.details())
        if outcome == "denied":
            parts.audit.denied(*what)
        elif command.changes and not dry_run:
            parts.audit.changed(*what, outcome=outcome)
    assert visitor.role is not None  # noqa: S101 a stranger was denied
    return Reply(command.shown_to(visitor.role, reply.fields), reply.finished)


def understood(verb: str, properties: Mapping[str, object]) -> Command:
    """The command that is meant. Raises UnknownCommand, MessageError."""
    if (reason := ELSEWHERE.get(verb)) is not None:
        raise UnknownCommand(f"{verb} is not for the console: {reason}")
    return find(verb).from_properties(properties)


def named(command: type[Command], name: str) -> dict[str, object]:
    """The properties that mean this watcher and no other, also when it is called `web*`."""
    return {"name": name, "match": "simple"} if "match" in command.rows else {"name": name}


def needed(command: Command) -> Role:
    """The role that it takes of a visitor."""
    return STRICTER.get(command.verb, command.needs)


def _admit(settings: Settings, visitor: Visitor, command: Command) -> None:
    if command.changes and settings.readonly:
        raise Denied(ONLY_LOOKS)
    role = needed(command)
    if not visitor.may(role):
        beyond = command.beyond(visitor.role) if visitor.role else ""
        what = f"{command.verb} of {beyond}" if beyond else command.verb
        has = f"may {visitor.role}" if visitor.role else "may do nothing here"
        raise Denied(f"{what} takes the role {role}; {visitor.name or 'a stranger'} {has}")
    if command.verb == "add" and not settings.allow_add:
        raise Denied("this console adds no watchers: its setting allow_add is off")


def _done(
    parts: Parts,
    command: Command,
    properties: Mapping[str, object],
    *,
    waiting: bool,
    dry_run: bool,
) -> Reply:
    if dry_run:
        foreseen = {"what": command.verb, "given": dict(properties)}
        return Reply(_patiently(parts, "foresee", foreseen), finished=True)
    if command.patient:
        return Reply(_patiently(parts, command.verb, _bounded(command, properties)), finished=True)
    if not (waiting and command.waits):
        return Reply(parts.controller.ask(command.verb, properties), not command.waits)
    try:
        wanted = {**properties, "waiting": True}
        return Reply(_patiently(parts, command.verb, wanted), finished=True)
    except Crowded:
        return Reply(parts.controller.ask(command.verb, properties), finished=False)
    except Late:
        alive = parts.controller.call(
            "numwatchers"
        )  # else it is no answer that we lack, but circusd
        return Reply({"status": "ok", "time": alive["time"]}, finished=False)


def _bounded(command: Command, properties: Mapping[str, object]) -> Mapping[str, object]:
    """With a limit of circusd's own, which gives up then and can say how far it is."""
    if "timeout" not in command.rows:
        return properties
    asked = getattr(command, "timeout", None)
    most = PATIENCE - 1.0
    return {**properties, "timeout": most if asked is None else min(asked, most)}


def _patiently(parts: Parts, verb: str, properties: Mapping[str, object]) -> dict[str, Any]:
    return parts.controller.ask_patiently(verb, properties, seconds=PATIENCE)
