"""How a pool replaces, resizes and gives up; told as stories of its slots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.pool import Pool
from circus.core.slot import State

CONFIG = WatcherConfig(name="w", cmd="x", numprocesses=2, max_retry=-1)


def running(config: WatcherConfig = CONFIG) -> Pool:
    """A pool that is up, every worker ready since second 0."""
    pool = Pool(config)
    pool.start(0.0)
    stand(pool, 0.0)
    assert states(pool) == dict.fromkeys(range(1, config.numprocesses + 1), State.READY)
    return pool


def stand(pool: Pool, now: float) -> None:
    """Whatever is being started runs."""
    for wid in [wid for wid, slot in pool.slots.items() if slot.state is State.SPAWNING]:
        pool.handle(wid, core.Spawned(100 + wid), now)


def end(pool: Pool, now: float, how: str = "exited with code 1") -> None:
    """Whatever is being stopped ends."""
    for wid in [wid for wid, slot in pool.slots.items() if slot.state is State.STOPPING]:
        pool.handle(wid, core.Exited(how), now)


def states(pool: Pool) -> dict[int, State]:
    return {wid: slot.state for wid, slot in pool.slots.items()}


def test_new_ones_stand_before_old_ones_go() -> None:
    pool = running()
    pool.reload(10.0, sequential=False)
    assert states(pool) == {1: "ready", 2: "ready", 3: "spawning", 4: "spawning"}
    pool.handle(3, core.Spawned(103), 10.1)
    assert states(pool) == {1: "stopping", 2: "ready", 3: "ready", 4: "spawning"}
    stand(pool, 10.2)
    end(pool, 10.3)
    assert states(pool) == {3: "ready", 4: "ready"}
    assert pool.settled


def test_a_generation_is_of_a_start_a_restart_or_a_reload() -> None:
    pool = running()
    assert pool.generation == 1
    pool.start(1.0)
    pool.handle(1, core.Exited("exited with code 1"), 1.0)
    stand(pool, 100.0)
    assert pool.generation == 1
    pool.reload(101.0, sequential=False)
    assert pool.generation == 2
    for now in (102.0, 103.0):
        stand(pool, now)
        end(pool, now)
    assert pool.generation == 2
    pool.restart(104.0)
    end(pool, 105.0)
    assert pool.generation == 3
    stand(pool, 106.0)
    pool.stop(107.0)
    end(pool, 108.0)
    assert pool.generation == 3
    pool.start(109.0)
    assert pool.generation == 4


def test_a_reload_during_a_reload_replaces_the_half_started_too() -> None:
    pool = running()
    pool.reload(10.0, sequential=False)
    pool.reload(10.0, sequential=False)
    for now in (10.1, 10.2, 10.3, 10.4):
        stand(pool, now)
        end(pool, now)
    assert len(pool.slots) == 2
    assert set(states(pool).values()) == {State.READY}
    assert pool.settled
    assert pool.trouble == ""


@pytest.mark.parametrize("sequential", [True, False])
def test_a_death_of_long_ago_is_not_held_against_a_reload(*, sequential: bool) -> None:
    pool = running()
    pool.handle(1, core.Exited("exited with code 1"), 1.0)
    stand(pool, 1.0)
    assert pool.slots[1].short_lives == 1
    pool.reload(1000.0, sequential=sequential)
    for now in (1000.1, 1000.2, 1000.3, 1000.4, 1000.5, 1000.6):
        end(pool, now)
        stand(pool, now)
    assert pool.trouble == ""
    assert pool.settled
    assert [slot.started > 1000 for slot in pool.slots.values()] == [True, True]


@pytest.mark.parametrize("sequential", [True, False])
def test_a_new_one_that_falls_ends_the_reload(*, sequential: bool) -> None:
    pool = running()
    pool.reload(10.0, sequential=sequential)
    end(pool, 10.1)
    fresh = 1 if sequential else 3
    pool.handle(fresh, core.SpawnFailed("no such file"), 10.2)
    assert pool.trouble == "no such file"
    assert pool.replacement is None
    kept = [wid for wid, slot in pool.slots.items() if slot.started == 0.0 and slot.pid]
    assert kept == ([2] if sequential else [1, 2])


def test_sequential_takes_one_at_a_time_and_pauses_between() -> None:
    pool = running(replace(CONFIG, warmup_delay=0.0))
    pool.config = replace(CONFIG, warmup_delay=3.0)
    pool.reload(10.0, sequential=True)
    assert states(pool) == {1: "stopping", 2: "ready"}
    end(pool, 10.1)
    stand(pool, 10.2)
    assert states(pool) == {1: "ready", 2: "ready"}
    assert not pool.settled
    assert pool.deadline(10.2) == pytest.approx(13.2)
    pool.due(13.2)
    assert states(pool) == {1: "ready", 2: "stopping"}
    end(pool, 13.3)
    stand(pool, 13.4)
    assert pool.settled


def test_growing_and_shrinking_during_a_reload() -> None:
    for count in (1, 5):
        pool = running()
        pool.reload(10.0, sequential=False)
        pool.config = replace(CONFIG, numprocesses=count)
        pool.reconcile(10.1)
        for now in (10.2, 10.3, 10.4):
            stand(pool, now)
            end(pool, now)
        assert len(pool.slots) == count
        assert all(slot.started > 10 for slot in pool.slots.values())
        assert pool.settled


def test_a_deadline_that_falls_on_the_one_before_is_kept() -> None:
    pool = running(replace(CONFIG, max_age=20.0, max_age_variance=0.0, graceful_timeout=0.0))
    effects = [effect for _, effect in pool.due(20.0)]  # too old; and no grace at all
    assert states(pool) == {1: "stopping", 2: "stopping"}
    assert effects.count(core.KillTree()) == 2


def test_a_reload_tries_those_again_that_had_fallen() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.handle(1, core.SpawnFailed("no such file"), 0.0)
    pool.handle(2, core.Spawned(102), 0.0)
    pool.reload(10.0, sequential=False)
    assert states(pool) == {1: "spawning", 2: "ready", 3: "spawning"}
    stand(pool, 10.1)
    end(pool, 10.2)
    assert states(pool) == {1: "ready", 3: "ready"}
    assert pool.settled


def test_the_word_for_a_pool() -> None:
    pool = Pool(replace(CONFIG, warmup_delay=5.0))
    assert pool.status == "stopped"
    pool.start(0.0)
    stand(pool, 0.0)
    assert pool.status == "starting"  # the second one has to wait
    pool.due(5.0)
    stand(pool, 5.0)
    assert pool.status == "active"
    pool.config = replace(pool.config, numprocesses=4)
    pool.reconcile(6.0)
    assert pool.status == "active"  # growing takes nothing away
    pool.reload(20.0, sequential=True)
    assert pool.status == "active"
    pool.stop(30.0)
    assert pool.status == "stopping"
    stand(pool, 30.0)  # one was just being started
    end(pool, 30.0)
    assert pool.status == "stopped"


def test_a_pool_without_workers_to_run_is_active() -> None:
    pool = running()
    pool.config = replace(CONFIG, numprocesses=0)
    pool.reconcile(1.0)
    end(pool, 1.1)
    assert (pool.slots, pool.status) == ({}, "active")


def test_a_start_counts_while_leftovers_are_still_going() -> None:
    pool = running(replace(CONFIG, respawn=False, numprocesses=1))
    pool.handle(1, core.Exited("exited with code 0", empty=False), 5.0)
    pool.start(5.1)
    pool.handle(1, core.Emptied(), 5.2)
    assert states(pool) == {1: "spawning"}
