"""Who ends already is not told to end again."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def hear_no_more(signums: Iterable[signal.Signals]) -> None:
    """Ignore signals that a loop handles until it is closed, which sets them back.

    One that comes while it closes would be written to a pipe that is closed. There may be several:
    when circusd is killed its threads die one by one, and each may tell what circusd has started.
    Nothing happens but in the main thread, where loops handle signals.
    """
    if threading.current_thread() is threading.main_thread():
        for signum in signums:
            signal.signal(signum, signal.SIG_IGN)
