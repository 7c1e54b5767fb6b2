"""One live child: its pid, where its output goes, and how to signal it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import IO, TYPE_CHECKING, Any, Self

from circus.config.mapping import watcher_from_mapping
from circus.gauges import process as gauge
from circus.host import spawn, tree
from circus.host.reaper import Reaper
from circus.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from circus.exc import SpawnError
    from circus.host.cgroup import Leaf
    from circus.host.reaper import Exit
    from circus.host.spawn import Order


RUNNING, DEAD_OR_ZOMBIE, UNEXISTING, OTHER = range(4)
"""What `status` says."""


class Process:
    """A program that was started: by hand, or as a worker. Times in seconds.

    By hand it belongs to the thread that makes it. It is a child of this process, collected by
    `poll`, `wait` and whatever else looks at it, and its output has to be read or it will wait.
    """

    _reaper: Reaper | None
    """Of one that was started by hand."""

    def __init__(
        self,
        name: str,
        wid: int,
        cmd: str,
        args: str | Sequence[str] | None = None,
        working_dir: str | None = None,
        shell: bool = False,  # noqa: FBT001, FBT002
        uid: str | int | None = None,
        gid: str | int | None = None,
        env: Mapping[str, str] | None = None,
        rlimits: Mapping[str, object] | None = None,
        executable: str | None = None,
        use_fds: bool = False,  # noqa: FBT001, FBT002
        watcher: object = None,
        spawn: bool = True,  # noqa: FBT001, FBT002
        pipe_stdout: bool = True,  # noqa: FBT001, FBT002
        pipe_stderr: bool = True,  # noqa: FBT001, FBT002
        **closed: bool,
    ) -> None:
        """Raises ConfigError, SpawnError. Looks users up and waits for the start: it may block.

        `closed` are close_child_stdin, close_child_stdout and close_child_stderr. `use_fds` and
        `watcher` make no difference.
        """
        self._be(name, wid, 0, f"{name}.{wid}.{os.getpid()}")
        self.cmd, self.args, self.use_fds, self.watcher = cmd, args, use_fds, watcher
        given = {
            "cmd": cmd,
            "args": args,
            "working_dir": working_dir,
            "shell": shell,
            "uid": uid,
            "gid": gid,
            "env": env,
            "rlimits": rlimits,
            "executable": executable,
            **closed,
        }
        self._recipe = Recipe(watcher_from_mapping(name, given), {})
        self._piped = (pipe_stdout, pipe_stderr)
        self._reaper = Reaper(adopt=False)
        if spawn:
            self.spawn()

    @classmethod
    def of_worker(cls, name: str, wid: int, pid: int, mark: str, leaf: Leaf | None) -> Self:
        """One that an engine has started, and collects."""
        process = cls.__new__(cls)
        process._be(name, wid, pid, mark)
        process.leaf = leaf
        return process

    def _be(self, name: str, wid: int, pid: int, mark: str) -> None:
        self.name = name
        self.wid = wid
        self.pid = pid
        """0 before the start."""
        self.mark = mark
        self.started = time.time()
        self._born = time.monotonic()
        self._sample: gauge.Sample | None = None
        self._tree_sample: gauge.Sample | None = None
        self.report: int | None = None
        """The launcher's pipe while it is not known whether the program runs; ours to close."""
        self.order: Order | None = None
        """What the launcher was told to do, as long as there is a report to come."""
        self.failure: SpawnError | None = None
        """Why the program could not be started, once the launcher has said so."""
        self.exit: Exit | None = None
        self.killed: list[str] = []
        """What had to be killed for it to be gone, in words."""
        self.leftovers: list[tree.Found] = []
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self._reaper = None
        self.leaf: Leaf | None = None
        """Its cgroup, with all that it starts."""

    def __lt__(self, other: Process) -> bool:
        return self.started < other.started

    # -- by hand ------------------------------------------------

    def spawn(self) -> None:
        """Start it, unless it has been. Raises SpawnError."""
        if self.pid or self._reaper is None:
            return
        with contextlib.ExitStack() as writing:
            stdout, stderr = (_pipe(writing) if piped else None for piped in self._piped)
            self.stdout, self.stderr = (pipe and pipe[0] for pipe in (stdout, stderr))
            try:
                order = self._recipe.order(
                    self.wid, self.mark, stdout and stdout[1], stderr and stderr[1]
                )
                started = spawn.start(order)
            except BaseException:
                self.close_output_channels()
                raise
        self.pid = started.pid
        self.started, self._born = time.time(), time.monotonic()
        self._reaper.watch(self.pid, self._ended)
        if started.report is not None:
            select.select((started.report,), (), ())
            self.failure = spawn.outcome(order, started.report)
        if self.failure is not None:
            self.wait()
            self.close_output_channels()
            raise self.failure

    def _ended(self, how: Exit) -> None:
        self.exit = how

    def format_args(self) -> list[str]:
        """The words that it is started with."""
        return list(self._recipe.order(self.wid, self.mark, None, None).argv)

    def poll(self) -> int | None:
        """How it ended, a signal as a negative number; None as long as it has not."""
        if self._reaper is not None:
            self._reaper.reap()
        return None if self.exit is None else self.exit.number

    returncode = poll

    def is_alive(self) -> bool:
        """Whether it has been started and has not ended."""
        self.poll()
        return self.alive

    def wait(self, timeout: float | None = None) -> int | None:
        """How it ended, once it has; None after `timeout` seconds."""
        if self.pid and self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                fd = os.pidfd_open(self.pid)
                try:
                    select.select((fd,), (), (), timeout)
                finally:
                    os.close(fd)
        return self.poll()

    def stop(self) -> None:
        """Ask it to end, and read no more of it."""
        if self.is_alive():
            self.send_signal(signal.SIGTERM)
        self.close_output_channels()

    def close_output_channels(self) -> None:
        """Let go of its pipes."""
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def status(self) -> int:
        """RUNNING, DEAD_OR_ZOMBIE, UNEXISTING or OTHER."""
        self.poll()
        found = tree.look(self.pid) if self.alive else None
        if found is None:
            return UNEXISTING
        return DEAD_OR_ZOMBIE if found.state in ("Z", "X") else RUNNING

    def children(self, recursive: bool = False) -> list[int]:  # noqa: FBT001, FBT002
        """Pids of those below it at this moment."""
        return [found.pid for found in self.below(children=True, recursive=recursive)]

    def is_child(self, pid: int) -> bool:
        """Whether it has this child at this moment."""
        return pid in self.children()

    def send_signal_child(self, pid: int, signum: int) -> None:
        """Raises psutil.NoSuchProcess when it has no such child."""
        for found in self.below(children=True, recursive=False):
            if found.pid == pid:
                tree.send(found, signum)
                return
        from psutil import NoSuchProcess  # what programs catch; rarely

        raise NoSuchProcess(pid)

    def send_signal_children(self, signum: int, recursive: bool = False) -> None:  # noqa: FBT001, FBT002
        """Signal those below it."""
        for found in self.below(children=True, recursive=recursive):
            tree.send(found, signum)

    # -- of both ------------------------------------------------

    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._born

    @property
    def alive(self) -> bool:
        """Whether its end has not been collected yet."""
        return self.exit is None and self.pid > 0

    def send_signal(self, signum: int) -> None:
        """Signal the leader. Does nothing once it has been collected: the pid is not ours then."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def descendants(self) -> list[tree.Found]:
        """Everything below it at this moment, nearest first."""
        return tree.below(self.pid) if self.alive else []

    def info(self) -> dict[str, Any] | str:
        """What `stats` tells, read from the kernel at this moment."""
        found = gauge.usage(self.pid, self._sample) if self.alive else None
        if found is None:
            return gauge.GONE
        self._sample = (found.pop("busy"), time.monotonic())
        for child in self.below(children=True, recursive=False):
            below = gauge.usage(child.pid)
            if below is not None:
                del below["busy"]
                found["children"].append(below)
        if self.leaf is not None:
            found["tree"] = self._tree(self.leaf)
        return {**found, "started": self.started, "wid": self.wid}

    def _tree(self, leaf: Leaf) -> dict[str, float]:
        """What it uses with all that it started: CPU in percent and in seconds, memory in bytes."""
        used = leaf.usage()
        share = gauge.share(used.busy, self.age(), self._tree_sample)
        self._tree_sample = (used.busy, time.monotonic())
        return used.told(share)

    def below(self, *, children: bool, recursive: bool) -> list[tree.Found]:
        """Whom a signal to `children`, or a `recursive` one, is for."""
        if recursive:
            return self.descendants()
        return tree.children(self.pid) if children and self.alive else []


def _pipe(writing: contextlib.ExitStack) -> tuple[IO[bytes], int]:
    """Both ends; the second is closed with `writing`."""
    reading, end = os.pipe2(os.O_CLOEXEC)
    writing.callback(os.close, end)
    return os.fdopen(reading, "rb", buffering=0), end
