"""The states of watchers for a person: one look at everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus import wire
from circus.commands.look import Status
from circus.ctl.output import complain, say
from circus.ctl.present import readable
from circus.ctl.tables import status_table
from circus.ctl.targets import choose
from circus.exc import CallError

if TYPE_CHECKING:
    from circus.client import CircusClient
    from circus.ctl.arguments import Asked
    from circus.ctl.terminal import Terminal


def show_status(client: CircusClient, asked: Asked, on: Terminal) -> int:
    """A table of those that are meant, or of all. The exit status."""
    answer, details = client.call_all([wire.message("status", {}), wire.message("why", {})])
    if answer is None:
        raise CallError(client.silence())
    reason = wire.reason(answer)
    if reason is not None:
        complain(f"error: {reason}")
        return Status.refused_status
    with readable():
        statuses = answer["statuses"]
        names = sorted(statuses)
        chosen = choose(asked.targets, names, answer.get("groups", {}))
        if chosen:
            names = [one.label for one in chosen if not one.trouble]
        # circus 0.19 has no `why`
        watchers = (details or {}).get("watchers", [])
        if not (statuses or chosen):
            say(Status.nothing)
        elif names or not chosen:
            say(status_table({name: statuses[name] for name in names}, watchers, on))
    for one in chosen:
        if one.trouble:
            complain(f"{one.label}: error: {one.trouble}")
    return Status.refused_status if any(one.trouble for one in chosen) else 0
