"""`circushttpd`, the web console as a program; `app` is it for any WSGI server."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import sys
from typing import TYPE_CHECKING

from circus import __version__, sidelog
from circus.exc import CircusError
from circus.web import passwd
from circus.web.application import application, parts_of
from circus.web.settings import FILE, VARIABLE, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from circus.web.application import Application

FAILED = 1


@functools.cache
def _made() -> Application:
    """Only when somebody asks: whoever imports `app` may fork first."""
    found = dataclasses.replace(settings(None, {}, os.environ), any_port=True)
    return application(parts_of(found))


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The console as its file says, for whoever serves it."""
    found: Iterable[bytes] = _made()(environ, start_response)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] and words[0] in passwd.VERBS:
        return passwd.main(words)
    from circus.web.server import serve

    args = parser().parse_args(words)
    flags = {"endpoint": args.endpoint, "host": args.host, "port": args.port}
    try:
        sidelog.configure(args)
        found = settings(args.config, flags, os.environ)
        parts = parts_of(found)
        parts.feed.start()
        try:
            serve(application(parts), parts)
        finally:
            parts.close()
    except (CircusError, OSError) as error:
        print(f"circushttpd: {error}", file=sys.stderr)  # noqa: T201 for a person
        return FAILED
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circushttpd", description="The web console of Circus.")
    found.add_argument("--config", metavar="FILE", help=f"its options; ${VARIABLE}, {FILE}")
    found.add_argument("--endpoint", help="circusd's control endpoint")
    found.add_argument("--host", help="the address to listen at")
    found.add_argument("--port", type=int, help="the port to listen at")
    sidelog.add_options(found)
    found.add_argument("--version", action="version", version=__version__)
    return found


if __name__ == "__main__":
    sys.exit(main())
