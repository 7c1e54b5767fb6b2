"""`circushttpd`, the web console as a program; `app` is it for any WSGI server."""

from __future__ import annotations

import argparse
import functools
import sys
from typing import TYPE_CHECKING

from circus import __version__, sidelog
from circus.exc import CircusError
from circus.web.application import application
from circus.web.settings import HOST, PORT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from circus.web.application import Application

FAILED = 1


@functools.cache
def _made() -> Application:
    """Only when somebody asks: whoever imports `app` may fork first."""
    return application(Settings())


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The console as it is without any settings but those of the environment."""
    found: Iterable[bytes] = _made()(environ, start_response)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it. Returns the exit status."""
    from waitress.server import create_server

    args = parser().parse_args(argv)
    settings = Settings(endpoint=args.endpoint, host=args.host, port=args.port)
    try:
        sidelog.configure(args)
        server = create_server(
            application(settings), host=settings.host, port=settings.port, threads=settings.threads
        )
        print(f"Listening on http://{settings.host}:{settings.port}/")  # noqa: T201 for a person
        server.run()
    except (CircusError, OSError) as error:
        print(f"circushttpd: {error}", file=sys.stderr)  # noqa: T201 for a person
        return FAILED
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circushttpd", description="The web console of Circus.")
    found.add_argument("--endpoint", help="circusd's control endpoint")
    found.add_argument("--host", default=HOST, help="the address to listen at")
    found.add_argument("--port", default=PORT, type=int, help="the port to listen at")
    sidelog.add_options(found)
    found.add_argument("--version", action="version", version=__version__)
    return found


if __name__ == "__main__":
    sys.exit(main())
