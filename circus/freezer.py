"""Workers of one watcher that get no processor time, until they are thawed or have to end."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.host.limits import NO_CGROUP
from circus.logs import about

if TYPE_CHECKING:
    from collections.abc import Iterable

    from circus.process import Process

logger = logging.getLogger(__name__)


class Freezer:
    """Belongs to the loop's thread; never blocks."""

    def __init__(self) -> None:
        self._frozen: set[Process] = set()

    def __len__(self) -> int:
        return len(self._frozen)

    @property
    def wids(self) -> set[int]:
        """Of those that are frozen."""
        return {process.wid for process in self._frozen}

    def set(self, processes: Iterable[Process], *, on: bool) -> bool:
        """Freeze or thaw those; whether that made a difference. Raises CircusError."""
        changed = [process for process in processes if (process in self._frozen) != on]
        for process in changed:
            if process.leaf is None:
                what = f"cannot freeze {process.name!r}: {process.name}.{process.wid} has no cgroup"
                raise CircusError(f"{what}; {NO_CGROUP}")
        for process in changed:
            self._set(process, on=on)
        return bool(changed)

    def thaw(self, process: Process) -> None:
        """It is to end, and has to run for that; if it cannot it is killed when its time is up."""
        if process in self._frozen:
            try:
                self._set(process, on=False)
            except CircusError as error:
                logger.warning("%s", error, extra=about(process.name))

    def ended(self, process: Process) -> None:
        """What it left behind is to end too, and has to run for that."""
        self.thaw(process)
        self._frozen.discard(process)

    def _set(self, process: Process, *, on: bool) -> None:
        if process.leaf is None:
            return
        try:
            with suppress(FileNotFoundError):  # all of it has ended
                process.leaf.freeze(on=on)
        except OSError as error:
            verb = "freeze" if on else "thaw"
            text = f"cannot {verb} {process.name}.{process.wid}: {error.strerror}"
            raise CircusError(text) from error
        if on:
            self._frozen.add(process)
        else:
            self._frozen.discard(process)
