"""Waiting for what is to be true of something that changes."""

from __future__ import annotations

import asyncio

import pytest

from circus.conditions import Conditions
from circus.exc import NotFound


def test_what_will_never_hold_is_told_to_all_who_wait_still() -> None:
    async def wait() -> None:
        conditions = Conditions(asyncio.get_running_loop())
        gone, left = conditions.when(lambda: False), conditions.when(lambda: False)
        left.cancel()
        conditions.give_up(NotFound("w was removed"))
        late = conditions.when(lambda: False)
        for future in (gone, late):
            with pytest.raises(NotFound, match=r"^w was removed$"):
                await future
        assert left.cancelled()
        await conditions.when(lambda: True)

    asyncio.run(wait())


def test_it_holds_once_somebody_looks_again() -> None:
    async def wait() -> None:
        conditions = Conditions(asyncio.get_running_loop())
        state = ["starting"]
        active = conditions.when(lambda: state == ["active"])
        conditions.check()
        assert not active.done()
        state[:] = ["active"]
        conditions.check()
        await active

    asyncio.run(wait())
