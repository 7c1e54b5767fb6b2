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
from circus.aside import aside
from circus.config.load import examine, load
from circus.config.schema import in_order
from circus.control.serve import serve
from circus.endpoints import daemon_endpoints
from circus.engine import Engine
from circus.exc import CircusError, ConfigError, ConflictError
from circus.hooks import survey_hooks
from circus.host import spawn
from circus.host.survey import survey_all
from circus.pidfile import Pidfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.config.load import Loaded
    from circus.endpoints import Endpoints

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
        started = _go_to_background() if args.daemon else None
        return _serve(args, started)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    except (CircusError, OSError) as error:
        print(f"circusd: {error}", file=sys.stderr)
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
    config, where = loaded.config, loaded.where
    missing = survey_hooks(config.watchers.values(), where, config.path)
    problems = in_order([*wrong, *survey_all(config, where), *missing])
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if problems:
        raise ConfigError(problems)
    count = len(loaded.config.watchers)
    print(f"{path}: ok, {count} watcher{'' if count == 1 else 's'}")
    return 0


def _serve(args: argparse.Namespace, started: int | None) -> int:
    """All rounds. `started` is a descriptor of `_go_to_background`."""
    path = os.path.abspath(args.config)
    pidfile: Pidfile | None = None
    again = True
    try:
        while again:
            _end_at_once_when_asked()
            loaded = load(path, os.environ)
            circus = loaded.config.circus
            logger_config = args.logger_config or circus.loggerconfig
            logs.configure(
                args.log_level or circus.loglevel or "info",
                args.log_output or circus.logoutput or "-",
                logger_config,
            )
            for warning in loaded.warnings:
                logger.warning("%s", warning)
            if circus.umask is not None:
                os.umask(circus.umask)
            pidfile = _pidfile(args.pidfile or circus.pidfile, pidfile)
            with asyncio.Runner() as runner:
                again = runner.run(
                    _run(loaded, started, fixed_level=bool(args.log_level or logger_config))
                )
            started = None
    finally:
        if pidfile is not None:
            pidfile.unlink()
    return 0


def _end_at_once_when_asked() -> None:
    """Until there is something to stop. Process 1 has no default handlers: it would miss them."""
    for signum in QUITTING:
        signal.signal(signum, signal.default_int_handler)
    for signum in (signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH):
        signal.signal(signum, _nothing)


def _pidfile(path: str | None, held: Pidfile | None) -> Pidfile | None:
    """The one that is wanted now; the one of the round before stays when it is the same."""
    if held is not None:
        if held.fname == path:
            return held
        held.unlink()
    if not path:
        return None
    pidfile = Pidfile(path)
    pidfile.create(os.getpid())
    return pidfile


async def _run(loaded: Loaded, started: int | None, *, fixed_level: bool) -> bool:
    """Everything between start and stop; True asks for another round.

    `fixed_level`: how much is logged does not follow the file.
    """
    loop = asyncio.get_running_loop()
    logger.info("Starting master on pid %d", os.getpid())
    prctl.set_child_subreaper(1)
    spawn.keep_descriptors_private()
    endpoints = daemon_endpoints(loaded.config.circus, os.environ, os.geteuid())
    engine = Engine(
        loaded.config,
        loop,
        endpoint=endpoints.control,
        pubsub_endpoint=endpoints.pubsub,
        stats_endpoint=endpoints.stats,
        adopt=True,
    )
    if not fixed_level:
        engine.followers.append(lambda circus: logs.set_level(circus.loglevel or "info"))
    signals = Signals(engine)
    try:
        if not await _hooks_are_there(loaded, engine):
            return False
        server = serve(engine, endpoints)
        try:
            engine.initialize()
            if engine.sockets:
                logger.info("sockets started")
            engine.events.publish = server.publish
            for what in _not_run(loaded):
                logger.warning("This version does not run %s", what)
            if _is_open_to_all(loaded, endpoints):
                logger.warning(OPEN_TO_ALL, endpoints.control)
            logger.info("Arbiter now waiting for commands")
            if started is not None:
                _stay_in_background(started)
            engine.start()
            gc.freeze()  # what is there now stays: no reason to look through it again and again
            again = await engine.ended
            logger.info("Arbiter exiting")
        finally:
            engine.close()
            server.close()
        return again and not signals.quit_is_asked()
    finally:
        signals.close()


async def _hooks_are_there(loaded: Loaded, engine: Engine) -> bool:
    """Import them; False when somebody ends us meanwhile. Raises ConfigError."""
    hooked = [one for one in loaded.config.watchers.values() if one.hooks]
    if not hooked:
        return True
    look = aside(engine.loop, lambda: survey_hooks(hooked, loaded.where, loaded.config.path))
    await asyncio.wait((look, engine.ended), return_when=asyncio.FIRST_COMPLETED)
    if not look.done():
        return False
    if problems := look.result():
        raise ConfigError(in_order(problems))
    return True


OPEN_TO_ALL = (
    "endpoint = %s: whoever can connect to it can run any program as root, and nobody is asked "
    "for a name; an ipc:// endpoint has permissions, and with curve = True only keys are let in"
)


def _is_open_to_all(loaded: Loaded, endpoints: Endpoints) -> bool:
    unguarded = endpoints.control.startswith("tcp:") and not loaded.config.circus.curve
    return unguarded and os.geteuid() == 0


def _not_run(loaded: Loaded) -> list[str]:
    """What the file asks for and this version accepts but does not do yet."""
    config = loaded.config
    found = [f"[plugin:{plugin.name}]" for plugin in config.plugins.values()]
    if config.circus.httpd:
        found.append("the web console (httpd)")
    if config.circus.statsd or (config.circus.stats_endpoint and config.circus.statsd is None):
        found.append("circusd-stats (stats_endpoint)")
    return found


class Signals:
    """Signals come through a pipe of our own: asyncio's loses some when hundreds come at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._quits = 0
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = {signum: signal.signal(signum, _nothing) for signum in WATCHED}
        engine.loop.add_reader(self._reading, self._on_signals)

    def close(self) -> None:
        """Leave everything as it was found."""
        self._engine.loop.remove_reader(self._reading)
        signal.set_wakeup_fd(self._previous)
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)
        os.close(self._reading)
        os.close(self._writing)

    def quit_is_asked(self) -> bool:
        """Whether one came to end for good while we were ending to start from anew."""
        return not self._read().isdisjoint(QUITTING)

    def _read(self) -> set[int]:
        try:
            return set(os.read(self._reading, 4096))
        except BlockingIOError:
            return set()

    def _on_signals(self) -> None:
        for number in sorted(self._read()):
            self._act(signal.Signals(number))
        # the byte of a SIGCHLD may have been lost in a full pipe
        self._engine.on_child()

    def _act(self, signum: signal.Signals) -> None:
        if signum in QUITTING:
            logger.info("Got signal SIG_%s", signum.name.removeprefix("SIG"))
            self._quits += 1
            if self._quits == 1:
                self._engine.quit()
            else:
                self._engine.hurry()
        elif signum is signal.SIGHUP:
            logger.info("Got signal SIG_HUP")
            try:
                self._engine.hang_up()
            except ConflictError as error:
                logger.warning("Cannot reload: %s", error)
        elif signum is signal.SIGUSR1:
            logs.reopen()
            self._engine.reopen()


QUITTING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
WATCHED = (
    *QUITTING,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGCHLD,
    signal.SIGWINCH,
)


def _nothing(_signum: int, _frame: object) -> None:
    """The wake-up pipe has it."""


def daemonize() -> None:
    """Go to the background at once; a name that older programs import."""
    _stay_in_background(_go_to_background())


def _go_to_background() -> int:
    """Two forks with a session between; returns in the last process, with a descriptor.

    Whoever called us gets its prompt, and the exit status 0, when that is written to. When we end
    before that, it has seen why, and gets the status of a failure.
    """
    if "gevent" in sys.modules:
        raise ValueError("Cannot daemonize if gevent is loaded")
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else EXIT_FAILED)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    writing = os.dup2(writing, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return writing


def _stay_in_background(started: int) -> None:
    """The start went well: nobody looks at our standard streams any more."""
    logs.leave_standard_error()
    for fd in (1, 2):
        os.dup2(0, fd)
    os.write(started, b"\n")
    os.close(started)


if __name__ == "__main__":
    sys.exit(main())
