"""Statistics of a daemon, one message after the other."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from circus.consumer import CircusConsumer
from circus.endpoints import SYSTEM_DIRECTORY, default_endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import zmq

    Told = tuple[str, str | None, dict[str, Any]]

BEGINNING = "stat."


class StatsClient(CircusConsumer):
    """Iterate over it: (watcher, pid or None, message) for each, until `stop`.

    The pid is text, None in the message about all of a watcher. Of the "watcher" `circus` the
    processes are those of Circus itself, of `sockets` they are descriptors. Otherwise it is as
    CircusConsumer; without an `endpoint` it is that of the usual daemon.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        ssh_server: str | None = None,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
        ssh_keyfile: str | None = None,
        *,
        topics: tuple[str, ...] = (BEGINNING,),
        curve_key: str | None = None,
    ) -> None:
        super().__init__(
            topics,
            context,
            endpoint or _usual(through_ssh=ssh_server is not None),
            ssh_server,
            ssh_keyfile=ssh_keyfile,
            curve_key=curve_key,
        )

    def __iter__(self) -> Iterator[Told]:  # type: ignore[override]  # events are pairs of bytes
        return map(read, self.iter_messages())


def read(message: Sequence[bytes]) -> Told:
    """The name of a watcher may have dots and end like a pid: what follows it the message tells."""
    topic, payload = message
    told = json.loads(payload)
    name = topic.decode().removeprefix(BEGINNING)
    if "subtopic" not in told:
        return name, None, told
    pid = str(told["subtopic"])
    return name.removesuffix(f".{pid}"), pid, told


def _usual(*, through_ssh: bool) -> str:
    if through_ssh:
        return f"ipc://{SYSTEM_DIRECTORY}/stats"
    return default_endpoints(os.environ, os.geteuid()).stats
