"""Sends messages with a client of the circus that it is run with: a line of JSON each way.

Arguments: `sync` or `async`, and an endpoint. A line is a whole message; one that has a command
and properties and nothing else goes through `send_message`, any other through `call`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from circus.client import AsyncCircusClient, CircusClient

KIND, ENDPOINT = sys.argv[1:]


def say(value: object) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def is_plain(message: dict[str, Any]) -> bool:
    """Whether `send_message` can express it."""
    return message.keys() == {"command", "properties"} and message["properties"] is not None


def wait_for_answers() -> None:
    """With the client that blocks."""
    client = CircusClient(endpoint=ENDPOINT, timeout=30.0)
    for message in map(json.loads, sys.stdin):
        if message.get("msg_type") == "cast":
            client.socket.send_json(message)
            say("sent")
        elif is_plain(message):
            say(client.send_message(message["command"], **message["properties"]))
        else:
            say(client.call(message))
    client.stop()


async def await_answers() -> None:
    """With the other one."""
    client = AsyncCircusClient(endpoint=ENDPOINT)
    for message in map(json.loads, sys.stdin):  # nothing else has to go on meanwhile
        say(await client.send_message(message["command"], **message["properties"]))


if KIND == "sync":
    wait_for_answers()
else:
    asyncio.run(await_answers())
