"""The daemon: reads its arguments and its file, then keeps what they ask for running."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import prctl

from circus import __version__, logs, systemd
from circus.arbiter import Arbiter
from circus.commands.own import import_commands
from circus.config.load import examine
from circus.config.plugins import with_plugins
from circus.config.schema import in_order
from circus.control.paths import make_own_directory
from circus.control.serve import Standing
from circus.exc import CircusError, ConfigError
from circus.hooks import survey_hooks
from circus.host import spawn
from circus.host.survey import survey_all
from circus.pidfile import Pidfile
from circus.signals import ASKING, QUITTING, nothing
from circus.standard import open_what_is_closed
from circus.stream.beside import survey_backend
from circus.stream.conf import survey_streams
from circus.trial import survey_plugins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from circus.config.load import Loaded
    from circus.config.schema import Problem

logger = logging.getLogger("circus.circusd")  # also when it is run as a module

EXIT_FAILED = 1
"""The start failed; another time it may not."""
EXIT_CONFIG = os.EX_CONFIG
"""The configuration cannot be used: no use to try again before somebody has mended it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon, or check its configuration. Returns the exit status."""
    open_what_is_closed()
    command = parser()
    args = command.parse_args(argv)
    if args.config is None:
        command.print_usage()
        return 0
    if args.instead_of and not args.check:
        command.error("--instead-of needs --check")
    try:
        if args.check:
            return _check(args.config, dict(args.instead_of), strict=args.strict)
        started = _go_to_background() if args.daemon else None
        return _serve(args, started)
    except ConfigError as error:
        logs.complain(str(error))
        return EXIT_CONFIG
    except (CircusError, OSError) as error:
        logs.complain(f"circusd: {error}")
        return EXIT_FAILED
    except KeyboardInterrupt:
        if not args.check:  # there was nothing to stop yet
            return 0
        logs.complain("circusd: interrupted before all was checked")
        return EXIT_FAILED


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circusd", description="Run some watchers.")
    found.add_argument("config", nargs="?", help="configuration file")
    levels = [*logs.LEVELS, *(level.upper() for level in logs.LEVELS)]
    found.add_argument("--log-level", choices=levels, help="log level (default: info)")
    found.add_argument("--log-output", help="file, - for standard error, or syslog:// (default: -)")
    found.add_argument("--logger-config", help="configuration of Python's logging")
    found.add_argument("--daemon", action="store_true", help="run in the background")
    found.add_argument("--pidfile", help="write our pid to this file")
    found.add_argument("--check", action="store_true", help="check the configuration, then end")
    found.add_argument("--strict", action="store_true", help="with --check: warnings are errors")
    found.add_argument(
        "--instead-of",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE", "NEW"),
        help="with --check: suppose that FILE, which need not exist, held what NEW does",
    )
    found.add_argument("--version", action="version", version=__version__)
    return found


def _check(path: str, stand_ins: Mapping[str, str], *, strict: bool) -> int:
    """With `stand_ins`, what is wrong without them in files that stay is no fault of theirs.

    Otherwise what takes two files to put right could not be put right one by one.
    """
    stand_ins = {os.path.abspath(file): new for file, new in stand_ins.items()}
    # these are given with their whole paths, and problems tell of files as the main one is given
    path = os.path.abspath(path) if stand_ins else path
    loaded, problems = _survey(path, stand_ins, strict=strict)
    excused: set[Problem] = set()
    if stand_ins:
        _, before = _survey(path, {}, strict=strict)
        replaced = set(map(os.path.realpath, stand_ins))
        excused = {one for one in before if os.path.realpath(one.place[0]) not in replaced}
    for warning in in_order([*loaded.warnings, *excused.intersection(problems)]):
        logs.complain(f"warning: {warning}", logging.WARNING)
    problems = tuple(problem for problem in problems if problem not in excused)
    if problems:
        raise ConfigError(problems)
    count = len(loaded.config.watchers)
    print(f"{path}: ok, {count} watcher{'' if count == 1 else 's'}")
    return 0


def _survey(
    path: str, stand_ins: Mapping[str, str], *, strict: bool
) -> tuple[Loaded, tuple[Problem, ...]]:
    """The configuration, and all that is wrong with it or missing on this machine."""
    loaded, wrong = examine(path, os.environ, strict=strict, stand_ins=stand_ins)
    config, where = with_plugins(loaded.config, python=sys.executable), loaded.where
    watchers = config.watchers.values()
    code = survey_backend(config.circus, where) + survey_streams(watchers, where, config.path)
    code += import_commands(config.circus, where, config.path)
    code += survey_hooks(watchers, where, config.path)
    code += survey_plugins(config, config.plugins.values(), where)
    return loaded, in_order([*wrong, *survey_all(config, where), *code])


def _serve(args: argparse.Namespace, started: int | None) -> int:
    """All rounds. `started` is a descriptor of `_go_to_background`."""
    prctl.set_child_subreaper(1)
    spawn.keep_descriptors_private()
    handed = systemd.take(os.environ)
    standing = Standing(lasting=True)
    path = os.path.abspath(args.config)
    pidfile: Pidfile | None = None
    again = True
    try:
        while again:
            _end_at_once_when_asked()
            daemon = Daemon.load_from_config(path, adopt=True)
            logger_config = args.logger_config or daemon.loggerconfig
            logs.configure(
                args.log_level or daemon.loglevel or "info",
                args.log_output or daemon.logoutput or "-",
                logger_config,
            )
            daemon.level_follows = not (args.log_level or logger_config)
            if daemon.umask is not None:
                os.umask(daemon.umask)
            pidfile = _pidfile(args.pidfile or daemon.pidfile, pidfile)
            daemon.started, started = started, None
            daemon.handed = handed
            daemon.standing = standing
            again = daemon.start().result()
    finally:
        standing.close()
        if pidfile is not None:
            pidfile.unlink()
    return 0


class Daemon(Arbiter):
    """An arbiter with a process to itself."""

    started: int | None = None
    """The descriptor that tells whoever called us that all is well."""
    level_follows = False
    """Whether how much is logged follows the file."""

    def initialize(self) -> None:
        """Nobody needs our standard streams any more, nor a look through what is here to stay."""
        if self.level_follows:
            self.engine.followers.append(lambda circus: logs.set_level(circus.loglevel or "info"))
        if self.started is not None:
            _stay_in_background(self.started)
        self.engine.loop.call_soon(_freeze)


def _freeze() -> None:
    """Have nobody look through what is here to stay; what the life before has left goes."""
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    gc.freeze()


def _end_at_once_when_asked() -> None:
    """Until there is something to stop. Process 1 has no default handlers: it would miss them."""
    for signum in QUITTING:
        signal.signal(signum, signal.default_int_handler)
    for signum in ASKING:
        signal.signal(signum, nothing)


def _pidfile(path: str | None, held: Pidfile | None) -> Pidfile | None:
    """The one that is wanted now; the one of the round before stays when it is the same."""
    if held is not None:
        if held.fname == path:
            return held
        held.unlink()
    if not path:
        return None
    make_own_directory(path)
    pidfile = Pidfile(path)
    pidfile.create(os.getpid())
    return pidfile


def daemonize() -> None:
    """Go to the background at once; a name that older programs import. Raises ValueError."""
    try:
        started = _go_to_background()
    except CircusError as error:
        raise ValueError(str(error)) from error
    _stay_in_background(started)


def _go_to_background() -> int:
    """Two forks with a session between; returns in the last process, with a descriptor.

    Whoever called us gets its prompt, and the exit status 0, when that is written to. When we end
    before that, it has seen why, and gets the status of a failure. Raises CircusError.
    """
    if "gevent" in sys.modules:  # its hub does not live through a fork
        raise CircusError("Cannot daemonize if gevent is loaded")
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
