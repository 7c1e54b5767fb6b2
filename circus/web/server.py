"""waitress, with what it answers by itself as guarded as all else."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from circus.web.guard import BODY_MOST, HEADERS
from circus.web.waitressed import hasten, tuned
from circus.web.welcome import address, welcome

if TYPE_CHECKING:
    from circus.web.application import Application
    from circus.web.parts import Parts


class _Refusal(ErrorTask):
    """What is not even a request, or too long for one."""

    def execute(self) -> None:
        self.response_headers = [*self.response_headers, *HEADERS.items()]
        super().execute()


class _Channel(HTTPChannel):
    error_task_class = _Refusal


def serve(app: Application, parts: Parts) -> None:
    """Answer until a signal ends it. Raises OSError."""
    settings = parts.settings
    server: Any = create_server(
        app,
        host=settings.host,
        port=settings.port,
        ident=None,
        clear_untrusted_proxy_headers=False,  # whom to believe is for `Addresses` to say
        max_request_body_size=BODY_MOST + 1,  # before any of it is read
        **tuned(settings),
    )
    hasten(server)
    # one for each address of a name
    for one in (server, *getattr(server, "map", {}).values()):
        if hasattr(one, "channel_class"):
            one.channel_class = _Channel
    print(f"Listening on {address(settings)}/", flush=True)  # noqa: T201 for a person
    if sys.stdout.isatty():  # there is somebody who has started us, and waits for it
        threading.Thread(target=lambda: print(welcome(parts)), daemon=True).start()  # noqa: T201
    server.run()
