"""Who is told to end hears it however often it is said, and no more once they end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable


def hear(
    loop: asyncio.AbstractEventLoop, signums: Iterable[signal.Signals], call: Callable[[], None]
) -> None:
    """Have `loop` call it for each of these signals. Nothing happens but in the main thread.

    A loop hears of signals through a pipe. When hundreds come while it is busy the pipe is full,
    and Python would write a traceback for each that has no room; the ones in it say it already.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    wanted = set(signums)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    try:
        for signum in wanted:
            loop.add_signal_handler(signum, call)
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hear_no_more(signums: Iterable[signal.Signals]) -> None:
    """Ignore signals that a loop handles until it is closed, which sets them back.

    One that comes while it closes would be written to a pipe that is closed. There may be several:
    when circusd is killed its threads die one by one, and each may tell what circusd has started.
    Nothing happens but in the main thread, where loops handle signals.
    """
    if threading.current_thread() is threading.main_thread():
        for signum in signums:
            signal.signal(signum, signal.SIG_IGN)
