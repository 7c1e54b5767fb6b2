"""The connection that the options of a command line ask for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from circus.client import CircusClient
from circus.ctl.arguments import ssh_server
from circus.endpoints import SYSTEM_DIRECTORY
from circus.exc import CallError
from circus.reach import Reach, find_endpoint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

TIMEOUT = 5.0


def reach_of(options: argparse.Namespace) -> Reach:
    """The way that options ask for; nothing is opened yet."""
    return Reach(ssh_server(options), options.ssh_keyfile, options.curve)


@contextlib.contextmanager
def reached(options: argparse.Namespace) -> Iterator[Reach]:
    """The way of this session, or one for this command."""
    if options.reach is not None:
        yield options.reach
        return
    reach = reach_of(options)
    try:
        yield reach
    finally:
        reach.close()


@contextlib.contextmanager
def connected(options: argparse.Namespace) -> Iterator[CircusClient]:
    """To the daemon that is named, or the usual one. Raises CallError at once if there is none."""
    with reached(options) as reach:
        endpoint = control_endpoint(options, reach)
        client = CircusClient(endpoint=endpoint, timeout=options.timeout or TIMEOUT, reach=reach)
        try:
            yield client
        finally:
            client.stop()


def control_endpoint(options: argparse.Namespace, reach: Reach) -> str:
    """Where the daemon that is meant takes commands. Raises CallError if nobody does."""
    if options.host:  # what is usual here says nothing about another machine
        return options.endpoint or f"ipc://{SYSTEM_DIRECTORY}/control"
    endpoint = find_endpoint(options.endpoint, through_ssh=reach.server is not None)
    obstacle = reach.obstacle(endpoint)
    if obstacle is not None:
        raise CallError(obstacle)
    return endpoint
