"""Tests of the tests: each known way to get the lifecycle wrong is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.slot import TABLE, State
from tests.property.pretend import Kernel
from tests.property.test_lifecycle import CONFIGS, STORIES, converge, end, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.core.slot import Event, Outcome, Slot

    Handler = Callable[[Slot, Event, WatcherConfig, float], Outcome]

CONFIG = WatcherConfig(name="w", cmd="x", graceful_timeout=1.0, max_retry=2, backoff_reset=1.0)


def no_deadline(handler: Handler) -> Handler:
    def broken(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
        after, effects = handler(slot, event, config, now)
        return after._replace(deadline=None), effects

    return broken


def no_effects(handler: Handler) -> Handler:
    def broken(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
        return handler(slot, event, config, now)[0], ()

    return broken


def nothing(_handler: Handler) -> Handler:
    return lambda slot, _event, _config, _now: (slot, ())


def spawn_at_once(_handler: Handler) -> Handler:
    return lambda slot, _event, _config, _now: (slot._replace(wanted=True), (core.Spawn(),))


def story(kernel: Kernel) -> None:
    """A life with everything in it; ends stopped. Raises AssertionError when it does not hold."""
    pool = kernel.pool
    kernel.perform(pool.start(kernel.now))
    kernel.finish_spawn(1, fails=True)  # first failure: at once again, by its deadline
    kernel.pass_time(0.0)
    assert pool.slots[1].deadline is not None or pool.slots[1].state is State.SPAWNING
    kernel.finish_spawn(1, fails=False)
    kernel.pass_time(2.0)
    kernel.die(1)
    kernel.finish_spawn(1, fails=False)
    kernel.perform(pool.stop(kernel.now))  # stop while ready
    kernel.perform(pool.start(kernel.now))  # start while stopping
    assert kernel.broken == []
    kernel.perform(pool.stop(kernel.now))
    kernel.pass_time(1.5)
    first = kernel.children[1].killed
    kernel.children[1].killed = False  # as rude as it gets: it survives the first SIGKILL
    kernel.pass_time(1.5)
    assert first
    assert kernel.children[1].killed
    kernel.die(1)
    assert pool.slots == {}
    kernel.perform(pool.start(kernel.now))
    kernel.perform(pool.stop(kernel.now))  # stop during spawn
    kernel.finish_spawn(1, fails=False)
    kernel.behave()
    assert pool.slots == {}
    kernel.perform(pool.start(kernel.now))
    for _ in range(2):
        kernel.finish_spawn(1, fails=True)
        kernel.pass_time(5.0)
    assert pool.slots[1].state is State.FAILED
    kernel.perform(pool.stop(kernel.now))  # stop after giving up
    assert pool.slots == {}
    assert kernel.broken == []


def test_the_story_holds() -> None:
    story(Kernel(CONFIG))


DEFECTS = [
    pytest.param(
        (State.SPAWNING, core.SpawnFailed), no_deadline, id="failed start without a deadline"
    ),
    pytest.param((State.STOPPING, core.WantUp), spawn_at_once, id="start while stopping makes two"),
    pytest.param((State.SPAWNING, core.WantDown), nothing, id="stop during spawn forgotten"),
    pytest.param((State.STOPPING, core.DeadlinePassed), no_deadline, id="SIGKILL not repeated"),
    pytest.param((State.STOPPING, core.DeadlinePassed), no_effects, id="SIGKILL not sent"),
    pytest.param((State.FAILED, core.WantDown), nothing, id="stop ignored after giving up"),
    pytest.param((State.READY, core.WantDown), nothing, id="stop ignored when ready"),
    pytest.param((State.BACKOFF, core.DeadlinePassed), nothing, id="back-off never ends"),
]


@pytest.mark.parametrize(("pair", "defect"), DEFECTS)
def test_an_injected_defect_is_noticed(
    pair: tuple[State, type], defect: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLE, pair, defect(TABLE[pair]))
    with pytest.raises((AssertionError, KeyError)):
        story(Kernel(CONFIG))


@pytest.mark.parametrize(
    ("pair", "defect"),
    [
        *DEFECTS,
        pytest.param((State.STOPPING, core.Exited), nothing, id="death while stopping forgotten"),
        pytest.param((State.STARTING, core.Exited), nothing, id="death before ready forgotten"),
        pytest.param((State.STARTING, core.WantDown), no_effects, id="stop without a signal"),
        pytest.param((State.READY, core.WantDown), no_deadline, id="stop without an end"),
        pytest.param((State.SPAWNING, core.Refused), nothing, id="refusal forgotten"),
        pytest.param((State.SPAWNING, core.Refused), no_effects, id="refused but not stopped"),
        pytest.param((State.SPAWNING, core.Refused), no_deadline, id="never asked again"),
    ],
)
def test_an_injected_defect_is_noticed_by_chance_alone(
    pair: tuple[State, type], defect: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The random stories of test_lifecycle come upon it without being led there."""

    @settings(
        max_examples=2000,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    @given(CONFIGS, STORIES, st.sampled_from([converge, None]))
    def stories(
        config: WatcherConfig,
        actions: list[tuple[object, ...]],
        before_the_end: Callable[[Kernel], None] | None,
    ) -> None:
        kernel = play(config, actions)
        if before_the_end is not None:
            before_the_end(kernel)
        end(kernel)

    monkeypatch.setitem(TABLE, pair, defect(TABLE[pair]))
    with pytest.raises((AssertionError, KeyError)):
        stories()
