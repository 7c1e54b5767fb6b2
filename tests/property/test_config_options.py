"""Options out and in again, and the plan from one configuration to another."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from circus.config import kinds
from circus.config.mapping import changed, is_option, options_of, watcher_from_mapping
from circus.config.merge import carried_over, target, undone
from circus.config.model import CircusConfig, Config, SocketConfig, WatcherConfig
from circus.config.plan import plan
from circus.config.schema import read
from circus.steps import Action, Step
from tests.property.values import given_for, options

FAMILIES = ("rlimit_", "hooks.", "stdout_stream.", "stderr_stream.")


@settings(deadline=None, max_examples=60)
@given(options())
def test_options_go_out_and_come_in_again(given: dict[str, Any]) -> None:
    config = watcher_from_mapping("w", given)
    told = json.loads(json.dumps(options_of(config)))
    assert watcher_from_mapping("w", told) == config
    assert changed(config, told) == config
    # what is not told is what it would be anyhow
    assert options_of(watcher_from_mapping("w", told)) == options_of(config)


@settings(deadline=None, max_examples=60)
@given(options(), options())
def test_a_change_to_everything_of_another_is_the_other(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    running = watcher_from_mapping("w", one)
    wanted = dataclasses.replace(watcher_from_mapping("w", other), extra=running.extra)
    # whole families take the place of what was there; None goes back to the default
    asked: dict[str, Any] = {
        key: None for key in one if is_option(key) and not key.startswith(FAMILIES)
    }
    asked |= {"rlimits": {}, "hooks": {}, "stdout_stream": {}, "stderr_stream": {}}
    asked |= {key: value for key, value in other.items() if is_option(key)}
    assert changed(running, asked) == wanted


WATCHERS = st.dictionaries(st.sampled_from(["a", "b", "c"]), options(), max_size=3)
SOCKETS = st.dictionaries(st.sampled_from(["s", "t"]), given_for(kinds.PORT), max_size=2)
CIRCUS = st.fixed_dictionaries({}, optional={"loglevel": given_for(kinds.LEVEL)})
CONFIGS = st.builds(
    lambda circus, watchers, sockets: Config(
        circus=CircusConfig(**read(CircusConfig, circus, str).values),
        watchers={name: watcher_from_mapping(name, given) for name, given in watchers.items()},
        sockets={
            name: SocketConfig(name=name, **read(SocketConfig, {"port": port}, str).values)
            for name, port in sockets.items()
        },
        plugins={},
    ),
    CIRCUS,
    WATCHERS,
    SOCKETS,
)


def applied(running: Config, wanted: Config, steps: tuple[Step, ...]) -> Config:
    """What is there when each step has put what is wanted in place of what was."""
    several = ("watchers", "sockets", "plugins")
    found: dict[str, Any] = {kind: dict(getattr(running, kind)) for kind in several}
    for step in steps:
        if step.kind == "circus":
            found["circus"] = wanted.circus
        elif step.action is Action.STOP:
            del found[f"{step.kind}s"][step.name]
        else:
            found[f"{step.kind}s"][step.name] = getattr(wanted, f"{step.kind}s")[step.name]
    return dataclasses.replace(running, **found)


@settings(deadline=None, max_examples=60)
@given(CONFIGS, CONFIGS)
def test_a_plan_leads_from_one_to_the_other(running: Config, wanted: Config) -> None:
    steps = plan(running, wanted)
    assert applied(running, wanted, steps) == wanted
    assert (steps == ()) == (running == wanted)
    assert plan(running, running) == ()
    assert all(step.reasons for step in steps)


@settings(deadline=None, max_examples=60)
@given(options(), options())
def test_a_step_names_every_option_that_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = (
        Config(
            circus=CircusConfig(),
            watchers={"w": watcher_from_mapping("w", given)},
            sockets={},
            plugins={},
        )
        for given in (one, other)
    )
    told = {reason for step in plan(before, after) for reason in step.reasons}
    old, new = options_of(before.watchers["w"]), options_of(after.watchers["w"])
    different = {key for key in {**old, **new} if old.get(key, told) != new.get(key, told)}
    different -= {"stdout_stream_conf", "stderr_stream_conf", "env"}
    assert different <= told
    assert {key for key in told if not key.startswith("env.")} <= different


@settings(deadline=None, max_examples=60)
@given(CONFIGS, CONFIGS)
def test_what_was_done_by_hand_stays_while_the_file_says_nothing_new(
    one: Config, other: Config
) -> None:
    assert target(one, other, one).watchers == other.watchers  # nothing was done by hand
    by_hand = dataclasses.replace(
        other,
        watchers={name: other.watchers.get(name, one.watchers[name]) for name in one.watchers},
    )
    assert target(one, one, by_hand).watchers == by_hand.watchers  # the file is as it was
    assert target(one, other, other).watchers == other.watchers  # both say the same


@settings(deadline=None, max_examples=60)
@given(CONFIGS, CONFIGS)
def test_what_is_undone_is_as_it_was(before: Config, wanted: Config) -> None:
    assert undone(wanted, before, wanted) == before  # nobody did anything meanwhile
    gone = dataclasses.replace(wanted, watchers={})
    assert not undone(wanted, before, gone).watchers.keys() & wanted.watchers.keys()


FIELDS = [one.name for one in dataclasses.fields(WatcherConfig)]


@settings(deadline=None, max_examples=40)
@given(options(), options(), st.sets(st.sampled_from(FIELDS)), st.sets(st.sampled_from(FIELDS)))
def test_of_each_option_the_file_counts_where_it_changed_and_the_hand_elsewhere(
    one: dict[str, Any], other: dict[str, Any], edited: set[str], done: set[str]
) -> None:
    was, source = (watcher_from_mapping("w", given) for given in (one, other))
    asked, by_hand = (
        dataclasses.replace(was, **{name: getattr(source, name) for name in names})
        for names in (edited, done)
    )
    merged = carried_over(was, asked, by_hand)
    for name in FIELDS:
        a, b, c, found = (getattr(held, name) for held in (was, asked, by_hand, merged))
        if isinstance(a, Mapping):
            for key in {**a, **b, **c}:
                expected = b.get(key) if a.get(key) != b.get(key) else c.get(key)
                assert found.get(key) == expected
        else:
            assert found == (b if a != b else c)
