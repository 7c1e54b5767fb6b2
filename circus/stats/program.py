"""`circusd-stats`: run by circusd when `stats_endpoint` or `statsd` asks for it, or by hand."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import zmq

from circus import __version__, sidelog
from circus.access import Grants
from circus.client import AsyncCircusClient
from circus.config.stats import GUESTS
from circus.curve import SECRET, SERVER
from circus.endpoints import default_endpoints
from circus.exc import CallError, CircusError
from circus.hearing import hear, hear_no_more
from circus.reach import Reach
from circus.standard import open_what_is_closed
from circus.stats.publisher import Publisher
from circus.stats.service import Service, until_told

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1
ENDS = (signal.SIGHUP, signal.SIGQUIT, signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger("circusd-stats")


def main(argv: Sequence[str] | None = None) -> int:
    """Publish until a signal ends it. Returns the exit status."""
    open_what_is_closed()
    args = parser().parse_args(argv)
    try:
        sidelog.configure(args)
        asyncio.run(_serve(args))
    except (CircusError, OSError) as error:
        print(f"circusd-stats: {error}", file=sys.stderr)  # noqa: T201 for a person
        return FAILED
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    usual = default_endpoints(os.environ, os.geteuid())
    found = argparse.ArgumentParser("circusd-stats", description="Publish statistics of circusd.")
    found.add_argument("--endpoint", default=usual.control, help="circusd's control endpoint")
    found.add_argument("--pubsub", default=usual.pubsub, help="where its events are")
    found.add_argument("--statspoint", default=usual.stats, help="where to publish")
    found.add_argument("--ssh", help="user@host[:port] that has the first two")
    sidelog.add_options(found)
    found.add_argument("--version", action="version", version=__version__)
    return found


async def _serve(args: argparse.Namespace) -> None:
    """Raises CircusError, OSError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    hear(loop, ENDS, stop.set)
    guests: dict[str, Any] = json.loads(os.environ.get(GUESTS, "{}"))
    folder = guests.get("curve")
    key = None if folder is None else os.path.join(folder, f"{SERVER}{SECRET}")
    publisher = Publisher(args.statspoint, Grants(**guests.get("grants", {})), folder, loop)
    reasons: list[str] = []

    def lost(reason: str) -> None:
        reasons.append(reason)
        loop.call_soon_threadsafe(stop.set)

    reach = Reach(args.ssh, curve_key=key, lost=lost)
    client = AsyncCircusClient(endpoint=args.endpoint, reach=reach)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        logger.info("Statistics are at %s", args.statspoint)
        await until_told(Service(publisher, client, context, args.pubsub, reach), stop)
        if reasons:  # who runs this starts it again
            raise CallError(reasons[0])
    finally:
        await client.stop()
        reach.close()
        context.destroy(linger=0)
        publisher.close()
        hear_no_more(ENDS)
