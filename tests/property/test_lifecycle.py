"""Whatever happens, in whatever order: never two, always an end, counts converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.life import AFTER_ANSWER
from circus.core.slot import State
from tests.property.pretend import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOOKS: st.SearchStrategy[dict[str, tuple[str, bool]]] = st.one_of(
    st.just({}),  # as most have none
    st.just({}),
    st.sets(st.sampled_from(tuple(map(str, AFTER_ANSWER)))).map(
        lambda names: dict.fromkeys(names, ("module.hook", False))
    ),
)
CONFIGS = st.builds(
    WatcherConfig,
    name=st.just("w"),
    cmd=st.just("true"),
    numprocesses=st.integers(0, 4),
    singleton=st.booleans(),
    respawn=st.booleans(),
    max_retry=st.sampled_from([-1, 0, 2]),
    warmup_delay=st.sampled_from([0.0, 0.5]),
    ready_after=st.sampled_from([0.0, 1.0]),
    graceful_timeout=st.sampled_from([0.0, 3.0]),
    backoff_delay=st.sampled_from([0.0, 0.1]),
    max_age=st.sampled_from([0.0, 20.0]),
    hooks=HOOKS,
)
CHANGES = st.one_of(
    st.fixed_dictionaries({"numprocesses": st.integers(0, 5)}),
    st.fixed_dictionaries({"singleton": st.booleans()}),
    st.fixed_dictionaries({"respawn": st.booleans()}),
    st.fixed_dictionaries({"max_retry": st.sampled_from([-1, 0, 2])}),
    st.fixed_dictionaries({"max_age": st.sampled_from([0.0, 1.0, 20.0])}),
    st.fixed_dictionaries({"ready_after": st.sampled_from([0.0, 1.0])}),
    st.fixed_dictionaries({"warmup_delay": st.sampled_from([0.0, 0.5])}),
    st.fixed_dictionaries({"graceful_timeout": st.sampled_from([0.0, 3.0])}),
    st.fixed_dictionaries({"hooks": HOOKS}),
)
ONE = st.integers(0, 7)
"""One of those that can do this, whichever there are."""
SECONDS = st.sampled_from([0.0, 0.1, 1.0, 5.0, 40.0])
ACTIONS = st.one_of(
    st.tuples(st.just("start")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("reload"), st.booleans()),
    st.tuples(st.just("set"), CHANGES),
    st.tuples(st.just("spawned"), ONE, st.booleans()),
    st.tuples(st.just("all spawned")),
    st.tuples(st.just("refuse"), ONE, st.booleans(), st.booleans()),
    st.tuples(st.just("answer"), st.booleans(), st.booleans()),
    st.tuples(st.just("die"), ONE, st.booleans(), st.booleans()),
    st.tuples(st.just("clear"), ONE),
    st.tuples(st.just("kill"), ONE, st.sampled_from([None, 9]), st.sampled_from([None, 0.0, 1.0])),
    st.tuples(st.just("time"), SECONDS),
    st.tuples(st.just("jump"), SECONDS),
    st.tuples(st.just("tie"), ONE, st.booleans()),
)
STORIES = st.lists(ACTIONS, max_size=40)


def act(kernel: Kernel, action: tuple[object, ...]) -> None:
    """Do one of ACTIONS."""
    pool, now = kernel.pool, kernel.now
    leaders = [wid for wid, child in kernel.children.items() if child.leader]
    verbs: dict[str, Callable[..., object]] = {
        "start": lambda: kernel.perform(pool.start(now)),
        "stop": lambda: kernel.perform(pool.stop(now)),
        "restart": lambda: kernel.perform(pool.restart(now)),
        "reload": lambda sequential: kernel.perform(pool.reload(now, sequential=sequential)),
        "set": lambda changes: kernel.configure(**changes),
        "spawned": lambda one, fails: kernel.finish_spawn(pick(kernel.spawning, one), fails=fails),
        "all spawned": kernel.finish_spawns,
        "refuse": lambda one, runs, later: kernel.refuse(
            pick(kernel.spawning, one), runs=runs, later=later
        ),
        "answer": lambda refuses, later: kernel.answer(refuses=refuses, later=later),
        "die": lambda one, leaves, well: kernel.die(pick(leaders, one), leaves=leaves, well=well),
        "clear": lambda one: kernel.clear(pick(kernel.children, one)),
        "kill": lambda one, signum, grace: kernel.send(
            pick(pool.slots, one), core.Terminate(signum, grace)
        ),
        "time": lambda seconds: kernel.pass_time(seconds),
        "jump": lambda seconds: kernel.jump(seconds),
        "tie": lambda one, exit_first: kernel.tie(pick(leaders, one), exit_first=exit_first),
    }
    verb, *arguments = action
    verbs[str(verb)](*arguments)


def pick(wids: Iterable[int], one: int) -> int:
    """A slot out of these; 0, which is none, when there are none."""
    some = sorted(wids)
    return some[one % len(some)] if some else 0


def play(config: WatcherConfig, actions: list[tuple[object, ...]]) -> Kernel:
    """A kernel after all that. Raises AssertionError when a rule does not hold meanwhile."""
    kernel = Kernel(config)
    for action in actions:
        act(kernel, action)
        kernel.check()
    return kernel


def converge(kernel: Kernel) -> None:
    """Once it is started and nothing goes wrong any more, there is what should be there."""
    kernel.configure(max_age=0.0)
    if not kernel.pool.config.respawn:
        kernel.behave()  # whoever ends by itself during a start is not started again
    kernel.perform(kernel.pool.start(kernel.now))
    for _ in range(30):
        kernel.pass_time(100.0)
        kernel.behave()
        kernel.check()
    running = [slot for slot in kernel.pool.slots.values() if slot.state is State.READY]
    assert len(running) == len(kernel.children) == kernel.pool.count
    assert kernel.pool.settled


def end(kernel: Kernel) -> None:
    """A stop ends, whatever was before, and leaves nothing."""
    kernel.perform(kernel.pool.stop(kernel.now))
    for _ in range(10):
        kernel.behave()
        kernel.pass_time(100.0)
        kernel.check()
    assert kernel.children == {}
    assert kernel.pool.slots == {}
    assert kernel.pool.status == "stopped"
    assert kernel.pool.settled
    assert kernel.pool.deadline(kernel.now) is None


@settings(max_examples=400, deadline=None)
@given(CONFIGS, STORIES)
def test_t15_t16_t17_never_two_and_counts_converge(
    config: WatcherConfig, actions: list[tuple[object, ...]]
) -> None:
    converge(play(config, actions))


@settings(max_examples=400, deadline=None)
@given(CONFIGS, STORIES)
def test_a_stop_always_ends(config: WatcherConfig, actions: list[tuple[object, ...]]) -> None:
    end(play(config, actions))


@settings(max_examples=150, deadline=None)
@given(CONFIGS, STORIES, st.integers(0, 3), st.sampled_from(["set", "set, then reload"]))
def test_t15_growing_stops_nobody(
    config: WatcherConfig, actions: list[tuple[object, ...]], more: int, what: str
) -> None:
    """Neither by itself nor in a reload, which stops the old ones and nobody else."""
    kernel = play(config, actions)
    converge(kernel)
    kernel.signalled.clear()
    kernel.configure(numprocesses=kernel.pool.config.numprocesses + more)
    old = set(kernel.pool.slots)
    assert kernel.signalled == []
    reload = what != "set"
    if reload:
        kernel.perform(kernel.pool.reload(kernel.now, sequential=False))
    kernel.check()
    converge(kernel)
    assert set(kernel.signalled) <= (old if reload else set())


@settings(max_examples=100, deadline=None)
@given(CONFIGS, st.integers(1, 4), st.lists(st.booleans(), max_size=12))
def test_a_reload_never_has_fewer_that_work(
    config: WatcherConfig, count: int, failing: list[bool]
) -> None:
    """New workers that do not stand replace nobody."""
    kernel = Kernel(config)
    kernel.configure(singleton=False, numprocesses=count)
    converge(kernel)
    kernel.perform(kernel.pool.reload(kernel.now, sequential=False))
    for fails in failing:
        for wid in kernel.spawning[:1]:
            kernel.finish_spawn(wid, fails=fails)
        kernel.pass_time(0.5)
        kernel.check()
        ready = [slot for slot in kernel.pool.slots.values() if slot.state is State.READY]
        assert len(ready) >= count
