"""Start a program with the right user, limits, descriptors; failure comes back as an exception.

A start never forks this process's memory: it is a vfork, either straight into the program or,
when anything has to be set in between, into `launch` (see launch.c), which reports the step that
failed through a pipe that closes by itself on success.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from circus.exc import SpawnError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAUNCH = str(Path(__file__).with_name("launch"))
DEFAULT_PATH = "/bin:/usr/bin"
NULL = "/dev/null"
OPTIONS = {"user": "uid", "group": "gid", "groups": "supplementary_groups"}
"""Steps of the launcher that are named otherwise than the option they carry out."""

_EVERY_SIGNAL = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything about one start. Descriptors stay the caller's; None means "as we have it"."""

    file: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    directory: str | None = None
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None
    limits: tuple[tuple[int, int | None, int | None], ...] = ()
    """(resource number, soft, hard); None is unlimited."""
    umask: int | None = None
    nice: int | None = None
    no_new_privileges: bool = False
    parent_death_signal: int | None = None
    cgroup_procs: str | None = None
    """A file cgroup.procs: the program is in that cgroup from its first instruction on."""
    stdin: int | str | None = None
    """A descriptor, a path to open, or None to share ours. The same for the other two."""
    stdout: int | str | None = None
    stderr: int | str | None = None
    handed: tuple[tuple[int, int], ...] = ()
    """(our descriptor, the number the program finds it under); LISTEN_PID is its pid then."""


@dataclass(frozen=True, slots=True)
class Started:
    """A process that exists. `report` is ours to read and close, or None: it runs for certain."""

    pid: int
    report: int | None


def keep_descriptors_private() -> None:
    """Let no program inherit what we inherited ourselves. Once, before anything is started."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the listing's own is closed by now
                os.set_inheritable(int(name), False)  # noqa: FBT003 its only form


def start(order: Order) -> Started:
    """Start it in a session of its own. Does not wait for more than the vfork.

    Raises SpawnError when it is already known that it cannot run.
    """
    options = _launch_options(order)
    try:
        if options:
            return _through_launch(order, options)
        return Started(_directly(order), None)
    except OSError as error:
        raise SpawnError(_sentence(order, "exec", error.errno or 0)) from error


def outcome(order: Order, report: int) -> SpawnError | None:
    """What the launcher said, once `report` is readable. Closes it."""
    try:
        text = os.read(report, 200).decode("ascii", "replace")
    finally:
        os.close(report)
    if not text:
        return None
    step, _, number = text.partition(" ")
    return SpawnError(_sentence(order, step, int(number or 0)))


def _directly(order: Order) -> int:
    actions = _file_actions(order)
    failure: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for path in candidates(order.file, order.env.get("PATH", DEFAULT_PATH)):
        try:
            return os.posix_spawn(
                path,
                order.argv,
                order.env,
                file_actions=actions,
                setsid=True,
                setsigdef=_EVERY_SIGNAL,
                setsigmask=(),
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            failure = error
            if error.errno != errno.EACCES:
                break
    raise failure


def candidates(file: str, path: str) -> Iterator[str]:
    """What `file` may mean to a worker with this PATH, in the order in which it is tried."""
    if "/" in file:
        yield file
        return
    for directory in path.split(":"):
        found = os.path.join(directory or ".", file)
        if os.path.exists(found):
            yield found


def _through_launch(order: Order, options: list[str]) -> Started:
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        argv = ["launch", "-e", str(writing), *options]
        argv += ["--", order.file, *order.argv]
        actions = [*_file_actions(order), (os.POSIX_SPAWN_DUP2, writing, writing)]
        pid = os.posix_spawn(LAUNCH, argv, order.env, file_actions=actions)
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Started(pid, reading)


def _file_actions(order: Order) -> list[tuple[int, int, int] | tuple[int, int, str, int, int]]:
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
    for number, what in enumerate((order.stdin, order.stdout, order.stderr)):
        if isinstance(what, str):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY
            actions.append((os.POSIX_SPAWN_OPEN, number, what, flags, 0))
        elif what is not None:
            actions.append((os.POSIX_SPAWN_DUP2, what, number))
    actions += [(os.POSIX_SPAWN_DUP2, ours, ours) for ours, _ in order.handed]
    return actions


def _launch_options(order: Order) -> list[str]:
    """The launcher's arguments, in the order in which the steps have to happen."""
    limits = [f"{number}:{_limit(soft)}:{_limit(hard)}" for number, soft, hard in order.limits]
    groups = None if order.groups is None else ",".join(map(str, order.groups))
    handed = ",".join(f"{ours}:{theirs}" for ours, theirs in order.handed)
    steps: list[tuple[str, object]] = [
        ("-k", handed or None),  # before the limits, of which one is of descriptors
        ("-c", order.cgroup_procs),
        *(("-l", limit) for limit in limits),
        ("-n", order.nice),
        ("-m", order.umask),
        ("-G", groups),
        ("-g", order.gid),
        ("-u", order.uid),
        ("-p", order.parent_death_signal),
        ("-d", order.directory),
    ]
    options = [text for flag, value in steps if value is not None for text in (flag, str(value))]
    if order.no_new_privileges:
        options.append("-N")
    return options


def _limit(value: int | None) -> str:
    return "-" if value is None else str(value)


def _sentence(order: Order, step: str, number: int) -> str:
    reason = os.strerror(number) if number else "unknown reason"
    if number == errno.ENOENT:
        reason = "no such file"
    what = repr(order.file)
    if step == "working_dir":
        return f"cannot start {what}: working_dir {order.directory!r}: {reason}"
    if step == "exec":
        with contextlib.suppress(OSError):
            if number == errno.ENOENT and "/" in order.file and os.path.exists(order.file):
                reason = "its interpreter (the path after #!) does not exist"
        who = "" if order.uid is None else f" as uid {order.uid}"
        return f"cannot start {what}{who}: {reason}"
    return f"cannot start {what}: {_option(step)}: {reason}"


def _option(step: str) -> str:
    """The option that a step of the launcher is about."""
    kind, _, number = step.partition("-")
    if kind != "limit":
        return OPTIONS.get(step, step)
    names = (name for name in dir(resource) if name.startswith("RLIMIT_"))
    found = [name for name in names if str(getattr(resource, name)) == number]
    return found[0].lower() if found else f"resource limit {number}"
