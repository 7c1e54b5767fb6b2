"""`circushttpd`, the web console as a program; `app` is it for any WSGI server."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import sys
from typing import TYPE_CHECKING

from circus import __version__, sidelog, systemd
from circus.config.kinds import PORT
from circus.exc import CircusError, ConfigError
from circus.standard import open_what_is_closed
from circus.web import passwd
from circus.web.settings import FILE, VARIABLE, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from circus.web.application import Application

FAILED = 1
WRONG_FILE = os.EX_CONFIG
"""No use to try again before somebody has mended it."""
MISSING = (
    "there is no Python module {}; install the Debian package circus-console, or "
    "pip install 'circus[web]'"
)
OLD = ("server", "multicast")
"""Options of older consoles that are understood and do nothing."""


@functools.cache
def _made() -> Application:
    """Only when somebody asks: whoever imports `app` may fork first."""
    from circus.web.application import application, parts_of

    found = dataclasses.replace(settings(None, {}, os.environ), any_port=True)
    return application(parts_of(found))


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The console as its file says, for whoever serves it."""
    found: Iterable[bytes] = _made()(environ, start_response)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it, or carry out a verb. Returns the exit status."""
    open_what_is_closed()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] and words[0] in passwd.VERBS:
            return passwd.main(words)
        _serve(parser().parse_args(words))
    except ModuleNotFoundError as error:
        return _failed(MISSING.format(error.name))
    except ConfigError as error:
        _say(str(error))
        return WRONG_FILE
    except (CircusError, OSError) as error:
        return _failed(str(error))
    return 0


def _serve(args: argparse.Namespace) -> None:
    """Raises CircusError, OSError, and ModuleNotFoundError for what is not installed."""
    from circus.web.application import application, parts_of
    from circus.web.listening import listening
    from circus.web.server import serve

    sidelog.configure(args)
    for name in OLD:
        if getattr(args, name) is not None:
            _say(f"--{name} is of older consoles, and does nothing")
    handed = systemd.take(os.environ)
    flags = {name: getattr(args, name) for name in ("endpoint", "ssh", "host", "port")}
    found = settings(args.config, flags, os.environ)
    sockets, found = listening(found, args.fd, [fd for _, fd in handed.sockets])
    parts = parts_of(found)
    parts.feed.start()
    serve(application(parts), parts, sockets, handed.notifier)


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circushttpd", description="The web console of Circus.",
        epilog="circushttpd passwd and circushttpd token write who may log in.")  # fmt: skip
    found.add_argument("--config", metavar="FILE", help=f"its options; ${VARIABLE}, {FILE}")
    found.add_argument("--endpoint", help="circusd's control endpoint")
    found.add_argument("--ssh", help="user@host[:port] that has it")
    found.add_argument("--host", help="the address to listen at")
    found.add_argument("--port", type=port, help="the port to listen at")
    found.add_argument("--fd", type=int, help="a socket that listens already, by its descriptor")
    sidelog.add_options(found)
    for name in OLD:
        found.add_argument(f"--{name}", help=argparse.SUPPRESS)
    found.add_argument("--version", action="version", version=__version__)
    return found


def port(text: str) -> int:
    """Raises ValueError for what is none."""
    found: int = PORT.parse(text)
    return found


def _failed(reason: str) -> int:
    _say(reason)
    return FAILED


def _say(text: str) -> None:
    print(f"circushttpd: {text}", file=sys.stderr)  # noqa: T201 for a person


if __name__ == "__main__":
    sys.exit(main())
