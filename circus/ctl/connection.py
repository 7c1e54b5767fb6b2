"""The connection that the options of a command line ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.client import CircusClient, find_endpoint, unreachable
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse

TIMEOUT = 5.0


def connect(options: argparse.Namespace) -> CircusClient:
    """To the daemon that is named, or the usual one. Raises CallError at once if there is none."""
    endpoint = find_endpoint(options.endpoint)
    obstacle = None if options.ssh else unreachable(endpoint)
    if obstacle is not None:
        raise CallError(obstacle)
    return CircusClient(
        endpoint=endpoint,
        timeout=options.timeout or TIMEOUT,
        ssh_server=options.ssh,
        ssh_keyfile=options.ssh_keyfile,
    )
