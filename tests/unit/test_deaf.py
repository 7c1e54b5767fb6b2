"""Who ends already hears no signal, in the thread that would."""

from __future__ import annotations

import asyncio
import signal

from circus.deaf import hear_no_more


def test_only_the_main_thread_becomes_deaf() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    try:
        asyncio.run(asyncio.to_thread(hear_no_more, [signal.SIGUSR1]))
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
        hear_no_more([signal.SIGUSR1])
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR1, before)
