"""`circus-plugin`: one process that runs one plugin, by hand or for circusd."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import logging
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

from circus import __version__, sidelog
from circus.config.plugins import FOUND, OPTIONS
from circus.endpoints import default_endpoints
from circus.exc import CircusError
from circus.resolve import resolve_name
from circus.standard import open_what_is_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

GIVEN = ("endpoint", "pubsub_endpoint", "check_delay", "ssh_server")
"""What every plugin is made with, in the order in which circus 0.19 gives it."""
BETWEEN = ":::"
"""Stands between the options of `--config`."""
OURS = "circus.plugins."
FAILED = 1

logger = logging.getLogger("circus-plugin")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a plugin until it is told to end. Returns the exit status."""
    open_what_is_closed()
    command = parser()
    args = command.parse_args(argv)
    if args.plugin is None:
        command.print_usage()
        return 0
    sys.path += args.path
    with contextlib.suppress(FileNotFoundError):
        sys.path.append(os.getcwd())
    try:
        found = _class(args.plugin)
        if args.check:
            if getattr(found, "__module__", "").startswith(OURS):
                _made(found, args)  # what ours are made of does nothing yet
            print(FOUND)  # noqa: T201 for whoever asked
            return 0
        sidelog.configure(args)
        return _run(found, args)
    except (CircusError, OSError) as error:
        print(f"circus-plugin: {error}", file=sys.stderr)  # noqa: T201 for a person
        return FAILED
    except KeyboardInterrupt:
        return 0


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    usual = default_endpoints(os.environ, os.geteuid())
    found = argparse.ArgumentParser("circus-plugin", description="Run a plugin.")
    found.add_argument("plugin", nargs="?", help="dotted name of its class")
    found.add_argument("--endpoint", default=usual.control, help="circusd's control endpoint")
    found.add_argument("--pubsub", default=usual.pubsub, help="where its events are")
    found.add_argument("--config", default="", help="options of the plugin: KEY:VALUE:::KEY:VALUE")
    found.add_argument("--check-delay", type=float, default=5.0, help="what circusd has as such")
    found.add_argument("--ssh", help="user@host[:port] that has the endpoints")
    found.add_argument(
        "--path", action="append", default=[], help="a folder to look for the class in, too"
    )
    found.add_argument("--check", action="store_true", help="import the class, then end")
    sidelog.add_options(found)
    found.add_argument("--version", action="version", version=__version__)
    return found


def _class(name: str) -> Callable[..., Any]:
    found = resolve_name(name)
    if not callable(found) or not hasattr(found, "start"):
        raise CircusError(f"{name!r} is not a class of plugins: it has no start()")
    return found


def _run(found: Callable[..., Any], args: argparse.Namespace) -> int:
    logger.info("Loading the plugin...")
    logger.info("Endpoint: %r", args.endpoint)
    logger.info("Pub/sub: %r", args.pubsub)
    plugin = _made(found, args)
    logger.info("Starting")
    try:
        plugin.start()
    except (CircusError, OSError):
        raise
    except Exception:
        logger.exception("%s has failed", args.plugin)
        return FAILED
    return 0


def _made(found: Callable[..., Any], args: argparse.Namespace) -> Any:
    given = (args.endpoint, args.pubsub, args.check_delay, args.ssh)
    config = {**json.loads(os.environ.pop(OPTIONS, "{}")), **options_of(args.config)}
    return made(found, dict(zip(GIVEN, given, strict=True)), config)


def made(found: Callable[..., Any], given: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """A plugin of this class. Raises CircusError with why it does not take what it is given.

    As circus 0.19 does: what is `given` by place, `config` by name. A constructor that has other
    arguments in those places gets everything by name.
    """
    try:
        if _takes_places(found):
            return found(*given.values(), **config)
        return found(**given, **config)
    except CircusError:
        raise
    except Exception as error:
        name = config.get("name") or getattr(found, "__name__", found)
        logger.debug("Cannot set %s up", name, exc_info=True)
        what = "" if isinstance(error, TypeError | ValueError) else f"{type(error).__name__}: "
        raise CircusError(f"cannot set {name} up: {what}{error}") from error


def _takes_places(found: Callable[..., Any]) -> bool:
    parameters = list(inspect.signature(found).parameters.values())
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return True
    return tuple(one.name for one in parameters[: len(GIVEN)]) == GIVEN


# -- options on a command line ------------------------------------------------


def options_of(text: str) -> dict[str, str]:
    """`key:value:::key:value` as a mapping; what has no colon is left out."""
    items = (item.partition(":") for item in text.split(BETWEEN))
    return {key.strip(): value.strip() for key, colon, value in items if colon}


def get_plugin_cmd(
    config: MutableMapping[str, Any],
    endpoint: str,
    pubsub: str,
    check_delay: float,
    ssh_server: str | None,
    debug: bool = False,  # noqa: FBT001, FBT002 circus 0.19's
    loglevel: str | None = None,
    logoutput: str | None = None,
) -> str:
    """A command line that runs the plugin that `config` describes; its `use` is taken out.

    For programs. circusd passes options in the environment, where nobody else can read them.
    """
    use = config.pop("use")
    options = BETWEEN.join(f"{key}:{config[key]}" for key in sorted(config))
    words = [sys.executable, "-m", "circus.plugins", "--endpoint", endpoint, "--pubsub", pubsub]
    words += ["--check-delay", f"{check_delay:g}"]
    words += ["--ssh", ssh_server] if ssh_server is not None else []
    words += ["--config", options] if options else []
    level = "debug" if debug else loglevel
    words += ["--log-level", level] if level else []
    words += ["--log-output", logoutput] if logoutput else []
    return shlex.join([*words, use])
