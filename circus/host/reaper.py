"""Tell me when this pid ends, and how."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.config.kinds import signal_name

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

AGAIN = 0.1
"""Seconds until a child is looked at again that there was no descriptor for."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its exit code, or the signal that ended it."""

    code: int | None = None
    signum: int | None = None
    core: bool = False

    @property
    def number(self) -> int:
        """The exit code, or minus the signal's number, as events carry it."""
        return -(self.signum or 0) if self.code is None else self.code

    @property
    def status(self) -> int:
        """As `wait` gives it."""
        return (self.code or 0) << 8 | (self.signum or 0) | (0x80 if self.core else 0)

    @property
    def success(self) -> bool:
        """Whether the program said that all went well."""
        return self.code == 0

    def __str__(self) -> str:
        if self.code is not None:
            return f"exited with code {self.code}"
        dumped = " (core dumped)" if self.core else ""
        return f"killed by {signal_name(self.signum or 0)}{dumped}"


class Reaper:
    """Collects ended children.

    `adopt`: this process is a subreaper (or pid 1), so children it never started are its own to
    collect too. Without it they belong to somebody else in this process and are left alone, as
    SIGCHLD is: `loop` is told of each end by a descriptor of the child, in any thread.
    """

    def __init__(self, *, adopt: bool, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.adopt = adopt
        self.may_collect: Callable[[int], bool] = lambda pid: True
        """Asked with `adopt`, of each that has ended. After a no, `reap` has to be called again."""
        self._loop = None if adopt else loop
        self._waiting: dict[int, Callable[[Exit], None]] = {}
        self._descriptors: dict[int, int] = {}

    def watch(self, pid: int, on_exit: Callable[[Exit], None]) -> None:
        """Call `on_exit` once, from within `reap`, when our child `pid` has ended."""
        self._waiting[pid] = on_exit
        if self._loop is not None:
            self._listen(self._loop, pid)

    def close(self) -> None:
        """Let go of descriptors."""
        for pid in list(self._descriptors):
            self._let_go(pid)

    def reap(self) -> int:
        """Collect every child that has ended; SIGCHLD is only a hint. Never blocks.

        Returns how many there were. Tells only after all are collected, so that whoever looks
        for what a worker left behind finds no zombies.
        """
        return self._tell(self._any_ended() if self.adopt else self._ended_of(list(self._waiting)))

    def _tell(self, ended: list[tuple[int, Exit]]) -> int:
        for pid, how in ended:
            self._let_go(pid)
            on_exit = self._waiting.pop(pid, None)
            if on_exit is not None:
                on_exit(how)
        return len(ended)

    def _listen(self, loop: asyncio.AbstractEventLoop, pid: int) -> None:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:  # somebody else in this process collected it
            loop.call_soon(self._look_again, loop, pid)
        except OSError:  # there is no descriptor left
            loop.call_later(AGAIN, self._look_again, loop, pid)
        else:
            self._descriptors[pid] = fd
            loop.add_reader(fd, self._look, pid)

    def _look(self, pid: int) -> None:
        self._tell(self._ended_of([pid]))

    def _look_again(self, loop: asyncio.AbstractEventLoop, pid: int) -> None:
        self._look(pid)
        if pid in self._waiting:
            self._listen(loop, pid)

    def _let_go(self, pid: int) -> None:
        fd = self._descriptors.pop(pid, None)
        if fd is not None and self._loop is not None:
            self._loop.remove_reader(fd)
            os.close(fd)

    def _any_ended(self) -> list[tuple[int, Exit]]:
        ended: list[tuple[int, Exit]] = []
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return ended
            if found is None:
                return ended
            if not self.may_collect(found.si_pid):
                # it is the first that is found, however often one asks for any
                return ended + self._ended_beside(found.si_pid)
            _collect(found.si_pid)
            ended.append((found.si_pid, _how(found)))

    def _ended_beside(self, held: int) -> list[tuple[int, Exit]]:
        """Those of whom somebody waits to hear, asked for one by one."""
        ended: list[tuple[int, Exit]] = []
        for pid in self._waiting.keys() - {held}:
            with contextlib.suppress(ChildProcessError):  # it has been collected just now
                found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is not None and self.may_collect(pid):
                    _collect(pid)
                    ended.append((pid, _how(found)))
        return ended

    def _ended_of(self, pids: Iterable[int]) -> list[tuple[int, Exit]]:
        ended: list[tuple[int, Exit]] = []
        for pid in pids:
            try:
                found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
            except ChildProcessError:
                # somebody else in this process collected it: how it ended is lost, that it did not
                ended.append((pid, Exit(code=None)))
                continue
            if found is not None:
                ended.append((pid, _how(found)))
        return ended


def _collect(pid: int) -> None:
    """Of one that is known to have ended, and how."""
    with contextlib.suppress(ChildProcessError):  # another thread waited for it, and was first
        os.waitid(os.P_PID, pid, os.WEXITED)


def _how(found: os.waitid_result) -> Exit:
    if found.si_code == os.CLD_EXITED:
        return Exit(code=found.si_status)
    return Exit(signum=found.si_status, core=found.si_code == os.CLD_DUMPED)
