"""waitress, with what it answers by itself as guarded as all else."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from circus.systemd import READY, STOPPING
from circus.web.guard import BODY_MOST, HEADERS
from circus.web.waitressed import hasten, tuned
from circus.web.welcome import address, welcome

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from circus.systemd import Notifier
    from circus.web.application import Application
    from circus.web.parts import Parts


GRACE = 1.2
"""Seconds that requests under way have at the end, and as many for what follows circusd."""


class _Refusal(ErrorTask):
    """What is not even a request, or too long for one."""

    def execute(self) -> None:
        self.response_headers = [*self.response_headers, *HEADERS.items()]
        super().execute()


class _Channel(HTTPChannel):
    error_task_class = _Refusal


def serve(
    app: Application, parts: Parts, sockets: Sequence[socket.socket], notifier: Notifier | None
) -> None:
    """Answer at these sockets until SIGTERM or SIGINT. Raises OSError."""
    settings = parts.settings
    channels: dict[int, Any] = {}
    server: Any = create_server(
        app,
        map=channels,
        sockets=list(sockets),
        ident=None,
        clear_untrusted_proxy_headers=False,  # whom to believe is for `Addresses` to say
        max_request_body_size=BODY_MOST + 1,  # before any of it is read
        **tuned(settings),
    )
    hasten(server)
    listeners = [one for one in channels.values() if hasattr(one, "channel_class")]
    for one in listeners:
        one.channel_class = _Channel
    try:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, _end)
        where = f"unix:{settings.path}" if settings.path else f"{address(settings)}/"
        _tell(f"Listening on {where}")
        _notify(notifier, READY)
        if sys.stdout.isatty():  # there is somebody who has started us, and waits for it
            threading.Thread(target=lambda: _tell(welcome(parts)), daemon=True).start()
        wasyncore.loop(timeout=1, map=channels, use_poll=True)
    except SystemExit:
        _notify(notifier, STOPPING)
    for one in listeners:
        wasyncore.dispatcher.close(one)
    _finish(server.task_dispatcher, parts)


def _end(*_: object) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
    raise SystemExit


def _finish(threads: Any, parts: Parts) -> None:
    """Let streams go at once, and others have their answers. Blocks for 2 * GRACE at most."""
    leaving = threading.Thread(target=parts.feed.close, daemon=True)
    leaving.start()
    threads.shutdown(timeout=GRACE)
    leaving.join(GRACE)
    if not threads.threads and not leaving.is_alive():
        parts.controller.close()  # otherwise somebody still waits for circusd, and ends with us


def _notify(notifier: Notifier | None, message: str) -> None:
    if notifier is not None:
        with contextlib.suppress(OSError):
            notifier.send([message])


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 for a person
