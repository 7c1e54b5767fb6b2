"""One command for several watchers: all are asked for at once, and told one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus import wire
from circus.ctl import exits
from circus.ctl.output import complain
from circus.ctl.present import present_one, say_json
from circus.ctl.targets import Chosen, choose
from circus.exc import CallError

if TYPE_CHECKING:
    from circus.client import CircusClient
    from circus.commands.command import Command, Reply
    from circus.ctl.arguments import Asked


def carry_out(client: CircusClient, command: type[Command], asked: Asked) -> int:
    """Ask for each watcher that is meant, print a line about each; the worst exit status."""
    outcomes = _ask(client, command, asked)
    if asked.options.json:
        say_json({one.label: answer or _silent(client) for one, answer in outcomes}, asked.options)
        return max(_status(command, answer) for _, answer in outcomes)
    worst = 0
    for one, answer in outcomes:
        if answer is None:
            complain(f"{one.label}: {client.silence()}")
            worst = max(worst, exits.FAILED)
        else:
            worst = max(worst, present_one(command, one.label, answer, asked))
    return worst


def _ask(
    client: CircusClient, command: type[Command], asked: Asked
) -> list[tuple[Chosen, Reply | None]]:
    """The answer for each, in their order; None for one that did not come in time."""
    chosen = _chosen(client, asked)
    shared = {**({"match": "simple"} if "match" in command.rows else {}), **asked.properties}
    messages = [
        asked.message(command, {**shared, **one.own, "name": one.label})
        for one in chosen
        if not one.trouble
    ]
    answers = iter(client.call_all(messages, patient=command.waits or command.patient))
    return [(one, wire.refusal(one.trouble) if one.trouble else next(answers)) for one in chosen]


def _chosen(client: CircusClient, asked: Asked) -> list[Chosen]:
    """The watchers that the targets mean; the daemon is asked only when names do not do."""
    if "match" in asked.properties or all(target.plain for target in asked.targets):
        return list({target.word: Chosen(*target) for target in asked.targets}.values())
    answer = client.send_message("status")
    reason = wire.reason(answer)
    if reason is not None or "statuses" not in answer:
        raise CallError(f"cannot learn which watchers there are: {reason or 'no such answer'}")
    return choose(asked.targets, answer["statuses"], answer.get("groups", {}))


def _silent(client: CircusClient) -> Reply:
    return {"status": "error", "reason": client.silence()}


def _status(command: type[Command], answer: Reply | None) -> int:
    if answer is None:
        return exits.FAILED
    return command.refused_status if wire.reason(answer) is not None else command.verdict(answer)
