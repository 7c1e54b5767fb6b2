"""Who there is to look at, as circusd tells it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.config.stats import NAME
from circus.exc import CallError
from circus.wire import topic_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.client import AsyncCircusClient

HELPERS = (NAME, "circushttpd")
"""Watchers that are a part of Circus."""

logger = logging.getLogger(__name__)


class Worker(NamedTuple):
    """One that runs."""

    wid: int
    pid: int


class Roster(NamedTuple):
    """Everybody at some moment; watchers by their names in topics."""

    watchers: dict[str, list[Worker]]
    own: dict[int, str]
    """The processes that Circus is, and what they are called."""
    sockets: Sequence[dict[str, Any]]


NOBODY = Roster({}, {}, ())


async def ask(client: AsyncCircusClient) -> Roster:
    """Raises CallError when circusd does not say."""
    watchers = (await _answer(client, "why"))["watchers"]
    daemon = (await _answer(client, "dstats"))["info"]["pid"]
    sockets = (await _answer(client, "listsockets"))["sockets"]
    return roster(watchers, daemon, sockets)


def roster(
    watchers: Sequence[dict[str, Any]], daemon: int, sockets: Sequence[dict[str, Any]]
) -> Roster:
    """`watchers` and `sockets` as `why` and `listsockets` tell of them."""
    found: dict[str, list[Worker]] = {}
    own = {daemon: "circusd", os.getpid(): NAME}
    for one in watchers:
        workers = [Worker(slot["wid"], slot["pid"]) for slot in one["slots"] if slot["pid"]]
        found.setdefault(topic_name(one["name"]), []).extend(workers)
        if one["name"] in HELPERS:
            own.update({worker.pid: one["name"] for worker in workers})
    return Roster(found, own, sockets)


async def _answer(client: AsyncCircusClient, command: str) -> dict[str, Any]:
    answer = await client.send_message(command)
    if answer.get("status") != "ok":
        raise CallError(str(answer.get("reason")))
    return answer
