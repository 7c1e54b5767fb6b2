"""The daemon: reads its arguments and its file, then keeps what they ask for running."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import prctl

from circus import __version__, logs
from circus.arbiter import Arbiter
from circus.commands.answer import dispatch
from circus.config.load import examine, load
from circus.config.schema import in_order
from circus.control.server import ControlServer
from circus.endpoints import daemon_endpoints
from circus.exc import CircusError, ConfigError
from circus.host import spawn
from circus.host.survey import survey_all
from circus.pidfile import Pidfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.config.load import Loaded

logger = logging.getLogger("circus.circusd")  # also when it is run as a module

EXIT_FAILED = 1
"""A configuration that cannot be used, or a start that failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon, or check its configuration. Returns the exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.config is None:
        parser.print_usage()
        return 0
    try:
        if args.check:
            return _check(args.config, strict=args.strict)
        if args.daemon:
            daemonize()
        return _serve(args)
    except CircusError as error:
        print(f"circusd: {error}" if not isinstance(error, ConfigError) else error, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("circusd", description="Run some watchers.")
    parser.add_argument("config", nargs="?", help="configuration file")
    levels = [*logs.LEVELS, *(level.upper() for level in logs.LEVELS)]
    parser.add_argument("--log-level", choices=levels, help="log level (default: info)")
    parser.add_argument(
        "--log-output", help="file, - for standard error, or syslog:// (default: -)"
    )
    parser.add_argument("--logger-config", help="configuration of Python's logging")
    parser.add_argument("--daemon", action="store_true", help="run in the background")
    parser.add_argument("--pidfile", help="write our pid to this file")
    parser.add_argument("--check", action="store_true", help="check the configuration, then end")
    parser.add_argument("--strict", action="store_true", help="with --check: warnings are errors")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _check(path: str, *, strict: bool) -> int:
    loaded, wrong = examine(path, os.environ, strict=strict)
    problems = in_order([*wrong, *survey_all(loaded.config, loaded.where)])
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if problems:
        raise ConfigError(problems)
    count = len(loaded.config.watchers)
    print(f"{path}: ok, {count} watcher{'' if count == 1 else 's'}")
    return 0


def _serve(args: argparse.Namespace) -> int:
    path = os.path.abspath(args.config)
    again = True
    while again:
        loaded = load(path, os.environ)
        circus = loaded.config.circus
        logs.configure(
            args.log_level or circus.loglevel or "info",
            args.log_output or circus.logoutput or "-",
            args.logger_config or circus.loggerconfig,
        )
        for warning in loaded.warnings:
            logger.warning("%s", warning)
        if circus.umask is not None:
            os.umask(circus.umask)
        pidfile = _pidfile(args.pidfile or circus.pidfile)
        try:
            with asyncio.Runner() as runner:
                again = runner.run(_run(loaded))
        finally:
            if pidfile is not None:
                pidfile.unlink()
    return 0


def _pidfile(path: str | None) -> Pidfile | None:
    if not path:
        return None
    pidfile = Pidfile(path)
    pidfile.create(os.getpid())
    return pidfile


async def _run(loaded: Loaded) -> bool:
    """Everything between start and stop; True asks for another round."""
    loop = asyncio.get_running_loop()
    logger.info("Starting master on pid %d", os.getpid())
    prctl.set_child_subreaper(1)
    spawn.keep_descriptors_private()
    endpoints = daemon_endpoints(loaded.config.circus, os.environ, os.geteuid())
    arbiter = Arbiter(
        loaded.config,
        loop,
        endpoint=endpoints.control,
        pubsub_endpoint=endpoints.pubsub,
        stats_endpoint=endpoints.stats,
        adopt=True,
    )
    server = ControlServer(
        endpoints.control,
        endpoints.pubsub,
        lambda payload: dispatch(arbiter, payload),
        loop=loop,
    )
    server.start()
    try:
        arbiter.initialize()
        if arbiter.sockets:
            logger.info("sockets started")
        arbiter.events.publish = server.publish
        for what in _not_run(loaded):
            logger.warning("This version does not run %s", what)
        signals = Signals(arbiter)
        logger.info("Arbiter now waiting for commands")
        arbiter.start()
        gc.freeze()  # what is there now stays: no reason to look through it again and again
        try:
            again = await arbiter.ended
        finally:
            signals.close()
        logger.info("Arbiter exiting")
        return again
    finally:
        arbiter.close()
        server.close()


def _not_run(loaded: Loaded) -> list[str]:
    """What the file asks for and this version accepts but does not do yet."""
    config = loaded.config
    found = [f"[plugin:{plugin.name}]" for plugin in config.plugins.values()]
    if config.circus.httpd:
        found.append("the web console (httpd)")
    if config.circus.statsd or (config.circus.stats_endpoint and config.circus.statsd is None):
        found.append("circusd-stats (stats_endpoint)")
    found += [f"the hooks of {one.name}" for one in config.watchers.values() if one.hooks]
    return found


class Signals:
    """Signals come through a pipe of our own: asyncio's loses some when hundreds come at once."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter
        self._quits = 0
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = {signum: signal.signal(signum, _nothing) for signum in WATCHED}
        arbiter.loop.add_reader(self._reading, self._on_signals)

    def close(self) -> None:
        """Leave everything as it was found."""
        self._arbiter.loop.remove_reader(self._reading)
        signal.set_wakeup_fd(self._previous)
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)
        os.close(self._reading)
        os.close(self._writing)

    def _on_signals(self) -> None:
        try:
            numbers = set(os.read(self._reading, 4096))
        except BlockingIOError:
            return
        for number in sorted(numbers):
            self._act(signal.Signals(number))
        # the byte of a SIGCHLD may have been lost in a full pipe
        self._arbiter.on_child()

    def _act(self, signum: signal.Signals) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            logger.info("Got signal SIG_%s", signum.name.removeprefix("SIG"))
            self._quits += 1
            if self._quits == 1:
                self._arbiter.quit()
            else:
                self._arbiter.hurry()
        elif signum is signal.SIGHUP:
            logger.info("Got signal SIG_HUP")
            self._arbiter.reload()
        elif signum is signal.SIGUSR1:
            logs.reopen()
            self._arbiter.reopen()


WATCHED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGCHLD,
    signal.SIGWINCH,
)


def _nothing(_signum: int, _frame: object) -> None:
    """The wake-up pipe has it."""


def daemonize() -> None:
    """Go to the background: two forks with a session between, standard streams on /dev/null."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    sys.exit(main())
