"""Whatever happens, in whatever order: never two, always an end, counts converge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.slot import State
from tests.property.pretend import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIGS = st.builds(
    WatcherConfig,
    name=st.just("w"),
    cmd=st.just("true"),
    numprocesses=st.integers(0, 4),
    singleton=st.booleans(),
    respawn=st.just(value=True),
    max_retry=st.sampled_from([-1, 0, 2]),
    warmup_delay=st.sampled_from([0.0, 0.5]),
    ready_after=st.sampled_from([0.0, 1.0]),
    graceful_timeout=st.sampled_from([0.0, 3.0]),
    max_age=st.sampled_from([0.0, 20.0]),
)
WIDS = st.integers(1, 8)
ACTIONS = st.one_of(
    st.tuples(st.just("start")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("reload"), st.booleans()),
    st.tuples(st.just("resize"), st.integers(0, 5)),
    st.tuples(st.just("spawned"), WIDS, st.booleans()),
    st.tuples(st.just("die"), WIDS, st.booleans()),
    st.tuples(st.just("clear"), WIDS),
    st.tuples(st.just("kill"), WIDS),
    st.tuples(st.just("time"), st.sampled_from([0.0, 0.1, 1.0, 5.0, 40.0])),
)


def act(kernel: Kernel, action: tuple[object, ...]) -> None:
    """Do one of ACTIONS."""
    pool, now = kernel.pool, kernel.now
    verbs: dict[str, Callable[..., object]] = {
        "start": lambda: kernel.perform(pool.start(now)),
        "stop": lambda: kernel.perform(pool.stop(now)),
        "restart": lambda: kernel.perform(pool.restart(now)),
        "reload": lambda sequential: kernel.perform(pool.reload(now, sequential=sequential)),
        "resize": lambda count: resize(kernel, count),
        "spawned": lambda wid, fails: kernel.finish_spawn(wid, fails=fails),
        "die": lambda wid, leaves: kernel.die(wid, leaves=leaves),
        "clear": lambda wid: kernel.clear(wid),
        "kill": lambda wid: kernel.send(wid, core.Terminate(None, 1.0)),
        "time": lambda seconds: kernel.pass_time(seconds),
    }
    verb, *arguments = action
    verbs[str(verb)](*arguments)


def resize(kernel: Kernel, count: int) -> None:
    """What `set numprocesses` does."""
    kernel.pool.config = replace(kernel.pool.config, numprocesses=count)
    kernel.perform(kernel.pool.reconcile(kernel.now))


def check(kernel: Kernel) -> None:
    """What holds at every moment."""
    assert kernel.broken == []
    for slot in kernel.pool.slots.values():
        if slot.state in (State.STOPPING, State.BACKOFF, State.STARTING):
            assert slot.deadline is not None, f"{slot.state} would last for ever"
        if slot.state in (State.READY, State.STARTING):
            assert slot.wid in kernel.children
    if kernel.pool.config.singleton:
        assert len(kernel.children) + len(kernel.spawning) <= 1 + sum(
            1 for slot in kernel.pool.slots.values() if slot.state is State.STOPPING
        )


@settings(max_examples=300, deadline=None)
@given(CONFIGS, st.lists(ACTIONS, max_size=40))
def test_t15_t16_t17_never_two_and_counts_converge(
    config: WatcherConfig, actions: list[tuple[object, ...]]
) -> None:
    kernel = Kernel(config)
    for action in actions:
        act(kernel, action)
        check(kernel)
    kernel.pool.config = replace(kernel.pool.config, max_age=0.0)
    kernel.perform(kernel.pool.start(kernel.now))
    for _ in range(30):
        kernel.pass_time(100.0)
        kernel.behave()
        check(kernel)
    running = [slot for slot in kernel.pool.slots.values() if slot.state is State.READY]
    assert len(running) == kernel.pool.count
    assert len(kernel.children) == kernel.pool.count


@settings(max_examples=300, deadline=None)
@given(CONFIGS, st.lists(ACTIONS, max_size=40))
def test_a_stop_always_ends(config: WatcherConfig, actions: list[tuple[object, ...]]) -> None:
    kernel = Kernel(config)
    for action in actions:
        act(kernel, action)
    kernel.perform(kernel.pool.stop(kernel.now))
    for _ in range(10):
        kernel.behave()
        kernel.pass_time(100.0)
    check(kernel)
    assert kernel.children == {}
    assert kernel.pool.slots == {}
    assert kernel.pool.status == "stopped"
    assert kernel.pool.settled
    assert kernel.pool.deadline(kernel.now) is None
