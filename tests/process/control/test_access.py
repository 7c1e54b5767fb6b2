"""What users are called, asked of this machine, and remembered for a while."""

from __future__ import annotations

import asyncio
import gc
import os
import pwd

from circus.access import Peer
from circus.control.access import REMEMBERED_MAX, Names

STRANGER = 3_000_000_000
"""A number that no user of a machine has, nor those that follow."""


def test_groups_that_a_process_no_longer_tells_are_those_of_its_user() -> None:
    async def asked(peer: Peer) -> Peer:
        return await Names(asyncio.get_running_loop()).of(peer, None)

    uid = os.getuid()
    known = pwd.getpwuid(uid)
    found = asyncio.run(asked(Peer(uid, known.pw_gid, 7)))
    assert (found.pid, found.user) == (7, known.pw_name)
    assert set(found.groups) == {known.pw_gid, *os.getgrouplist(known.pw_name, known.pw_gid)}
    assert asyncio.run(asked(Peer(STRANGER, STRANGER, 7))) == Peer(
        STRANGER, STRANGER, 7, (STRANGER,)
    )


def test_users_without_end_are_not_all_remembered() -> None:
    def answers() -> int:
        return sum(isinstance(one, asyncio.Future) for one in gc.get_objects())

    async def all_ask() -> int:
        names, before = Names(asyncio.get_running_loop()), answers()
        for number in range(STRANGER, STRANGER + REMEMBERED_MAX + 100):
            peer = Peer(number, number, 7)
            assert await names.of(peer, (STRANGER,)) == peer._replace(
                groups=tuple(dict.fromkeys((number, STRANGER)))
            )
        return answers() - before

    # of those that have come since the last were forgotten, it still has them
    assert 100 <= asyncio.run(all_ask()) < REMEMBERED_MAX
