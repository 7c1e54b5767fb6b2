"""What the signals that we get ask the engine for."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING

from circus import logs
from circus.exc import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.engine import Engine
    from circus.watcher import Result

logger = logging.getLogger(__name__)

QUITTING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
ASKING = (signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH)


def nothing(_signum: int, _frame: object) -> None:
    """Handles a signal that comes through the wake-up pipe."""


class Signals:
    """Signals come through a pipe of our own: asyncio's loses some when hundreds come at once.

    Only for the main thread. A signal that the program handles itself stays the program's.
    `on_reload` gets what each reload comes to.
    """

    def __init__(self, engine: Engine, on_reload: Callable[[Result], None]) -> None:
        self._engine = engine
        self._on_reload = on_reload
        self._quits = 0
        watched = [*filter(_is_free, (*QUITTING, *ASKING))]
        if engine.reaper.adopt:  # otherwise each child of ours has a descriptor that tells
            watched.append(signal.SIGCHLD)
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = {signum: signal.signal(signum, nothing) for signum in watched}
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
            return set(os.read(self._reading, 4096)) & set(self._handlers)
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
                self._on_reload(self._engine.orders.hang_up())
            except ConflictError as error:
                logger.warning("Cannot reload: %s", error)
        elif signum is signal.SIGUSR1:
            logs.reopen()
            self._engine.reopen()


def _is_free(signum: signal.Signals) -> bool:
    return signal.getsignal(signum) in (signal.SIG_DFL, signal.default_int_handler, nothing)
