"""Every state meets every event, on purpose; and the injected defects are noticed."""

from __future__ import annotations

import itertools

import pytest

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.slot import EVENTS, IGNORED, TABLE, Slot, State, Why, step

CONFIG = WatcherConfig(name="w", cmd="true", graceful_timeout=3.0, max_retry=5)


def test_every_pair_is_decided() -> None:
    every = set(itertools.product(State, EVENTS))
    assert set(TABLE) | set(IGNORED) == every
    assert not set(TABLE) & set(IGNORED)


def ready(**fields: object) -> Slot:
    slot, _ = step(Slot(1), core.WantUp(), CONFIG, 10.0)
    slot, _ = step(slot, core.Spawned(77), CONFIG, 10.0)
    assert slot.state is State.READY
    return slot


def test_first_death_is_answered_at_once_and_the_next_waits() -> None:
    slot = ready()
    slot, effects = step(slot, core.Exited("exited with code 1"), CONFIG, 10.5)
    assert (slot.state, effects) == (State.SPAWNING, (core.Spawn(),))
    slot, _ = step(slot, core.Spawned(78), CONFIG, 10.6)
    slot, effects = step(slot, core.Exited("exited with code 1"), CONFIG, 10.7)
    assert (slot.state, effects) == (State.BACKOFF, ())
    assert slot.deadline == pytest.approx(10.7 + CONFIG.backoff_delay)


def test_stable_running_forgets_failures() -> None:
    slot = ready()
    for at in (11.0, 11.2):
        slot, _ = step(slot, core.Exited("x"), CONFIG, at)
        if slot.state is State.BACKOFF:
            slot, _ = step(slot, core.DeadlinePassed(), CONFIG, at + 1)
        slot, _ = step(slot, core.Spawned(79), CONFIG, at + 1)
    slot, effects = step(slot, core.Exited("x"), CONFIG, 100.0)
    assert effects == (core.Spawn(),)
    assert slot.failures == 1


@pytest.mark.parametrize("bound", [1, 2, 5])
def test_max_retry_bounds_failures_in_a_row(bound: int) -> None:
    config = WatcherConfig(name="w", cmd="nope", max_retry=bound)
    slot, _ = step(Slot(1), core.WantUp(), config, 0.0)
    tries, now = 0, 0.0
    while slot.state is not State.FAILED:
        if slot.state is State.SPAWNING:
            tries += 1
            slot, _ = step(slot, core.SpawnFailed("no such file"), config, now)
        else:
            assert slot.deadline is not None
            now = slot.deadline
            slot, _ = step(slot, core.DeadlinePassed(), config, now)
    assert tries == bound


def test_who_ends_well_is_slowed_down_but_never_given_up() -> None:
    slot, now = ready(), 10.0
    for life in range(20):
        slot, _ = step(slot, core.Exited("exited with code 0", success=True), CONFIG, now)
        assert slot.failures == 0
        if life:
            assert slot.state is State.BACKOFF
            assert slot.deadline == pytest.approx(now + core.back_off(life + 1, CONFIG, 0.0))
            now = slot.deadline or 0.0
            slot, _ = step(slot, core.DeadlinePassed(), CONFIG, now)
        assert slot.state is State.SPAWNING
        slot, _ = step(slot, core.Spawned(80 + life), CONFIG, now)


def test_failures_count_from_the_last_good_end() -> None:
    config = WatcherConfig(name="w", cmd="x", max_retry=2)
    slot, _ = step(Slot(1), core.WantUp(), config, 0.0)
    ends = [True, False, True, False, False]
    for pid, success in enumerate(ends):
        if slot.state is State.BACKOFF:
            slot, _ = step(slot, core.DeadlinePassed(), config, 0.0)
        slot, _ = step(slot, core.Spawned(pid + 2), config, 0.0)
        slot, _ = step(slot, core.Exited("x", success=success), config, 0.0)
    assert (slot.state, slot.failures) == (State.FAILED, 2)


def test_back_off_grows_to_its_ceiling() -> None:
    waits = [core.back_off(n, CONFIG, 0.0) for n in range(1, 40)]
    assert waits[0] == 0.0
    assert waits == sorted(waits)
    assert waits[-1] == CONFIG.backoff_max
    assert core.back_off(10_000, CONFIG, 1.0) == pytest.approx(
        CONFIG.backoff_max * (1 + CONFIG.backoff_jitter)
    )


def test_kill_is_repeated_until_it_is_gone() -> None:
    slot, effects = step(ready(), core.WantDown(), CONFIG, 20.0)
    assert effects == (core.Signal(CONFIG.stop_signal),)
    assert slot.deadline == 23.0
    for times in range(1, 4):
        assert slot.deadline is not None
        slot, effects = step(slot, core.DeadlinePassed(), CONFIG, slot.deadline)
        assert effects == (core.KillTree(),)
        assert slot.kills == times


def test_leftovers_hear_the_stop_signal_and_hold_the_slot() -> None:
    slot, _ = step(ready(), core.WantDown(), CONFIG, 20.0)
    slot, effects = step(slot, core.Exited("x", empty=False), CONFIG, 21.0)
    assert (slot.state, effects) == (State.STOPPING, (core.Signal(CONFIG.stop_signal),))
    slot, _ = step(slot, core.Emptied(), CONFIG, 22.0)
    assert slot.state is State.EMPTY


def test_stop_of_a_starting_worker_waits_for_the_outcome() -> None:
    slot, _ = step(Slot(1), core.WantUp(), CONFIG, 0.0)
    slot, effects = step(slot, core.WantDown(), CONFIG, 0.1)
    assert (slot.state, effects) == (State.SPAWNING, ())
    slot, effects = step(slot, core.Spawned(5), CONFIG, 0.2)
    assert (slot.state, slot.why) == (State.STOPPING, Why.ASKED)
    assert effects == (core.Signal(CONFIG.stop_signal),)


def test_restart_while_stopping_is_no_failure() -> None:
    slot, _ = step(ready(), core.WantDown(), CONFIG, 20.0)
    slot, _ = step(slot, core.WantUp(), CONFIG, 20.1)
    slot, effects = step(slot, core.Exited("x"), CONFIG, 20.2)
    assert effects == (core.Spawn(),)
    assert slot.failures == 0


def test_max_age_is_drawn_once_from_the_start_of_the_process() -> None:
    config = WatcherConfig(name="w", cmd="x", max_age=100.0, max_age_variance=30.0)
    slot, _ = step(Slot(1), core.WantUp(), config, 0.0)
    slot, _ = step(slot, core.Spawned(5, luck=0.5), config, 1.0)
    assert slot.deadline == 116.0
    slot, effects = step(slot, core.DeadlinePassed(), config, 116.0)
    assert (slot.state, slot.why) == (State.STOPPING, Why.EXPIRED)
    assert effects == (core.Signal(config.stop_signal),)
    slot, effects = step(slot, core.Exited("x"), config, 117.0)
    assert effects == (core.Spawn(),)


def test_done_is_done_whatever_else_would_be_started_again() -> None:
    config = WatcherConfig(name="w", cmd="x", done_codes=(0, 2))
    for empty in (True, False):
        slot, _ = step(Slot(1), core.WantUp(), config, 0.0)
        slot, _ = step(slot, core.Spawned(5), config, 1.0)
        slot, _ = step(slot, core.Exited("exited with code 2", empty=empty, done=True), config, 2.0)
        slot, _ = step(slot, core.Emptied(), config, 3.0)
        assert (slot.state, slot.failures) == (State.DONE, 0)
    slot, effects = step(slot, core.Retry(), config, 4.0)
    assert effects == (core.Spawn(),)
    slot, _ = step(slot, core.Spawned(6), config, 5.0)
    slot, _ = step(slot, core.Exited("exited with code 1"), config, 6.0)
    assert slot.failures == 1


def test_without_respawn_an_end_is_the_end() -> None:
    config = WatcherConfig(name="w", cmd="x", respawn=False)
    slot, _ = step(Slot(1), core.WantUp(), config, 0.0)
    slot, _ = step(slot, core.Spawned(5), config, 1.0)
    slot, effects = step(slot, core.Exited("exited with code 0"), config, 2.0)
    assert (slot.state, effects) == (State.DONE, ())
    slot, effects = step(slot, core.Retry(), config, 3.0)
    assert effects == (core.Spawn(),)
