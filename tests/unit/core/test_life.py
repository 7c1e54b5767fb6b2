"""Which hook of a watcher is asked when, and what its answer does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.life import AFTER_ANSWER, Answered, Ask
from circus.core.pool import ITSELF, Pool

BARE = WatcherConfig(name="w", cmd="x", backoff_delay=1.0, backoff_jitter=0.0)
CONFIG = replace(BARE, hooks={str(stage): ("m.f", False) for stage in AFTER_ANSWER})
NO = Answered("it says no")
LATER = Answered("it says later", later=True)


def told(effects: list[tuple[int, core.Effect | Ask]]) -> str:
    """The hook that these ask, or what they do to slots, in words."""
    asked = [effect.hook for wid, effect in effects if wid == ITSELF and isinstance(effect, Ask)]
    done = [type(effect).__name__ for wid, effect in effects if wid != ITSELF]
    return " ".join([*asked, *done])


def up() -> Pool:
    """One that has been started; its worker runs and all hooks agreed."""
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.answered(Answered(), 0.0)
    pool.handle(1, core.Spawned(7), 0.0)
    pool.answered(Answered(), 0.0)
    assert (pool.status, pool.settled) == ("active", True)
    return pool


def test_a_whole_life_in_order() -> None:
    pool = Pool(CONFIG)
    steps = [told(pool.start(0.0)), told(pool.answered(Answered(), 0.0))]
    assert steps == ["before_start", "Spawn"]
    assert told(pool.handle(1, core.Spawned(7), 0.0)) == "after_start"
    assert (pool.status, pool.settled) == ("starting", False)
    pool.answered(Answered(), 0.0)
    assert (pool.status, pool.settled) == ("active", True)
    steps = [told(pool.stop(0.0)), told(pool.answered(NO, 0.0))]
    assert steps == ["before_stop", "Signal"]
    assert (pool.status, pool.settled) == ("stopping", False)
    assert told(pool.handle(1, core.Exited("x"), 0.0)) == "after_stop"
    assert (pool.status, pool.settled) == ("stopped", False)
    pool.answered(NO, 0.0)
    assert (pool.status, pool.settled) == ("stopped", True)
    assert pool.life.refusal == ""


def test_without_hooks_nothing_is_asked() -> None:
    pool = Pool(BARE)
    assert told(pool.start(0.0)) == "Spawn"
    assert told(pool.handle(1, core.Spawned(7), 0.0)) == ""
    assert pool.status == "active"
    assert told(pool.stop(0.0)) == "Signal"


def test_a_refused_start_starts_nothing() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    assert told(pool.answered(NO, 0.0)) == ""
    assert (pool.status, pool.settled, pool.life.refusal) == ("stopped", True, "it says no")
    assert told(pool.start(1.0)) == "before_start"
    assert pool.life.refusal == ""


def test_a_refused_after_start_stops_what_was_started() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.answered(Answered(), 0.0)
    pool.handle(1, core.Spawned(7), 0.0)
    assert told(pool.answered(NO, 0.0)) == "before_stop"
    assert told(pool.answered(Answered(), 0.0)) == "Signal"


def test_later_is_paced_by_the_back_off() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    now = 0.0
    for wait in (1.0, 2.0, 4.0):
        pool.answered(LATER, now)
        assert (pool.status, pool.settled) == ("starting", True)
        now += wait
        assert pool.deadline(now - wait) == now
        assert told(pool.due(now)) == "before_start"
    pool.answered(LATER, now)
    assert told(pool.start(now)) == "before_start"  # nobody who asks is made to wait


def test_a_later_is_forgotten_with_the_yes_that_follows_it() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.answered(LATER, 0.0)
    pool.due(1.0)
    assert pool.life.refusal
    pool.answered(Answered(), 1.0)
    assert pool.life.refusal == ""


def test_a_stop_ends_the_waiting_for_later() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.answered(LATER, 0.0)
    pool.stop(0.5)
    assert (pool.status, pool.deadline(0.5)) == ("stopped", None)


def test_a_stop_meanwhile_beats_a_yes() -> None:
    pool = Pool(CONFIG)
    pool.start(0.0)
    pool.stop(0.0)
    assert told(pool.answered(Answered(), 0.0)) == ""
    assert (pool.status, pool.settled) == ("stopped", True)


def test_a_start_during_a_stop_comes_after_it() -> None:
    pool = up()
    pool.stop(1.0)
    assert told(pool.start(1.0)) == ""
    assert told(pool.answered(Answered(), 1.0)) == "Signal"
    assert told(pool.handle(1, core.Exited("x"), 1.0)) == "after_stop"
    assert (pool.status, pool.settled) == ("stopping", False)
    assert told(pool.answered(Answered(), 1.0)) == "before_start"


def test_what_is_left_running_by_a_hook_of_a_stop_is_kept_up() -> None:
    """Until before_stop has answered the watcher still does its work."""
    pool = up()
    pool.stop(1.0)
    assert told(pool.handle(1, core.Exited("x"), 1.0)) == "Spawn"


@pytest.mark.parametrize("pid", [None, 7])
def test_a_refused_worker_stops_the_watcher(pid: int | None) -> None:
    pool = Pool(BARE)
    pool.start(0.0)
    effects = pool.handle(1, core.Refused("a hook says no", pid=pid), 0.0)
    assert told(effects) == ("" if pid is None else "Signal")
    if pid is not None:
        pool.handle(1, core.Exited("killed by SIGTERM"), 0.1)
    assert (pool.status, pool.slots, pool.life.refusal) == ("stopped", {}, "a hook says no")


@pytest.mark.parametrize("pid", [None, 7])
@pytest.mark.parametrize("later", [True, False])
def test_a_refused_worker_of_a_reload_replaces_nobody(pid: int | None, *, later: bool) -> None:
    pool = Pool(BARE)
    pool.start(0.0)
    pool.handle(1, core.Spawned(6), 0.0)
    pool.reload(1.0, sequential=False)
    pool.handle(2, core.Refused("a hook says no", later, pid), 1.0)
    pool.handle(2, core.Exited("killed by SIGTERM"), 1.1)
    assert pool.trouble == "a hook says no"
    assert (pool.status, list(pool.slots), pool.life.refusal) == ("active", [1], "")


def test_a_worker_that_is_put_off_is_never_given_up() -> None:
    pool = Pool(replace(BARE, max_retry=1))
    pool.start(0.0)
    now = 0.0
    for wait in (1.0, 2.0, 4.0):
        pool.handle(1, core.Refused("not now", later=True), now)
        assert pool.slots[1].state is core.State.BACKOFF
        assert pool.deadline(now) == now + wait
        now += wait
        assert told(pool.due(now)) == "Spawn"
