"""Commands about events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.kinds import Serial, Words
from circus.exc import MessageError

if TYPE_CHECKING:
    from circus.engine import Engine


@command("events", Role.READ)
class Events(Command):
    """Get the events that somebody missed.

    Every event has a `seq`, which goes up by one, and the `instance` of circusd that told it. Those
    after `--since` are answered; `gap` says that some of them are no longer there, or were told by
    another instance. Without `--since` it tells only where they are by now.
    """

    since: Serial | None = argument("after this seq", default=None, flag="--since", metavar="SEQ")
    instance: str | None = argument(
        "which was told by this instance", default=None, flag="--instance", metavar="ID"
    )
    topics: Words | None = argument("beginnings of topics", default=None, metavar="TOPIC")

    def run(self, engine: Engine) -> Reply:
        """`last` is where to go on from next time."""
        events = engine.events
        reply = {"instance": events.instance, "last": events.last, "oldest": events.oldest}
        if self.since is None:
            return {**reply, "gap": False, "events": []}
        same = self.instance in (None, events.instance) and self.since <= events.last
        since = self.since if same else 0
        found = [
            {"topic": one.topic.decode(), "message": json.loads(one.payload)}
            for one in events.since(since, self.topics or ())
        ]
        return {**reply, "gap": not same or since + 1 < events.oldest, "events": found}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """As `listen` does, after a word on what is missing."""
        lines = [f"{one['topic']}: {json.dumps(one['message'])}" for one in reply["events"]]
        if reply["gap"]:
            lines.insert(0, f"some are missing; the oldest that is kept is {reply['oldest']}")
        return "\n".join([*lines, f"last: {reply['last']} of {reply['instance']}"])


@command("listen", Role.READ)
class Listen(Command):
    """Subscribe to a watcher event.

    Prints `topic: message` until it is interrupted. A topic is the beginning of one, such as
    `watcher.web.` or `watcher.web.spawn`; without any, all are shown. Those that got lost on the
    way, or while circusd could not be reached, are asked for; when they are no longer kept, it
    says so. `--since` begins after the event with that `seq`.
    """

    local = True

    topics: Words | None = argument("beginnings of topics", default=None, metavar="TOPIC")
    since: Serial | None = argument("after this seq", default=None, flag="--since", metavar="SEQ")
    instance: str | None = argument(
        "which was told by this instance", default=None, flag="--instance", metavar="ID"
    )

    def run(self, engine: Engine) -> Reply:
        """Events are published, not asked for."""
        raise MessageError("invalid message. use a pub/sub socket")
