"""What a program that is told to end hears of it, and in which thread."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from circus.hearing import hear, hear_no_more

if TYPE_CHECKING:
    import pytest


def test_a_busy_loop_that_is_told_a_thousand_times_hears_it_in_silence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def told() -> None:
        heard = asyncio.Event()
        hear(asyncio.get_running_loop(), [signal.SIGUSR1], heard.set)
        for _ in range(1000):  # more than its pipe has room for
            signal.raise_signal(signal.SIGUSR1)
        await asyncio.wait_for(heard.wait(), 20)

    asyncio.run(told())
    assert capfd.readouterr().err == ""


def test_only_the_main_thread_hears() -> None:
    before = signal.getsignal(signal.SIGUSR1)

    async def elsewhere() -> None:
        hear(asyncio.get_running_loop(), [signal.SIGUSR1], lambda: None)

    asyncio.run(asyncio.to_thread(asyncio.run, elsewhere()))
    assert signal.getsignal(signal.SIGUSR1) == before


def test_only_the_main_thread_becomes_deaf() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    try:
        asyncio.run(asyncio.to_thread(hear_no_more, [signal.SIGUSR1]))
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
        hear_no_more([signal.SIGUSR1])
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR1, before)
