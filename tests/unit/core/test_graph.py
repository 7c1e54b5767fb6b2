"""Order between watchers, and the loop when there is none."""

from __future__ import annotations

import pytest

from circus.core.graph import find_cycle, layers


def test_layers_need_only_those_before() -> None:
    edges = {"web": ["db", "cache"], "db": [], "cache": ["db"], "alone": []}
    assert layers(edges) == [["db", "alone"], ["cache"], ["web"]]


def test_unknown_needs_are_not_waited_for() -> None:
    assert layers({"web": ["elsewhere"]}) == [["web"]]


def test_a_cycle_is_named_as_a_loop() -> None:
    edges = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}
    assert find_cycle(edges) == ["a", "b", "c", "a"]
    with pytest.raises(ValueError, match="a -> b -> c -> a"):
        layers(edges)


def test_itself_is_a_cycle() -> None:
    assert find_cycle({"a": ["a"]}) == ["a", "a"]


def test_a_long_chain_does_not_recurse() -> None:
    edges = {str(n): [str(n + 1)] for n in range(20_000)}
    assert find_cycle(edges) is None
    assert len(layers(edges)) == 20_000
