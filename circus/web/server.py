"""waitress, with what it answers by itself as guarded as all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from circus.web.guard import BODY_MOST, HEADERS
from circus.web.waitressed import hasten, tuned

if TYPE_CHECKING:
    from circus.web.application import Application
    from circus.web.settings import Settings


class _Refusal(ErrorTask):
    """What is not even a request, or too long for one."""

    def execute(self) -> None:
        self.response_headers = [*self.response_headers, *HEADERS.items()]
        super().execute()


class _Channel(HTTPChannel):
    error_task_class = _Refusal


def serve(app: Application, settings: Settings) -> None:
    """Answer until a signal ends it. Raises OSError."""
    server: Any = create_server(
        app,
        host=settings.host,
        port=settings.port,
        ident=None,
        max_request_body_size=BODY_MOST + 1,  # before any of it is read
        **tuned(settings),
    )
    hasten(server.adj)
    # one for each address of a name
    for one in (server, *getattr(server, "map", {}).values()):
        if hasattr(one, "channel_class"):
            one.channel_class = _Channel
    print(f"Listening on http://{settings.host}:{settings.port}/", flush=True)  # noqa: T201 for a person
    server.run()
