"""A snapshot and all that changed since are the present."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus.web.deltas import difference, merged

KEYS = st.text(max_size=3)
PLAIN = st.one_of(st.booleans(), st.integers(-2, 2), st.floats(-2, 2), st.text(max_size=2))
VALUES = st.recursive(
    st.one_of(PLAIN, st.lists(PLAIN, max_size=2)),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def text(value: object) -> str:
    """As a reader sees it: 1, 1.0 and true are different things."""
    return json.dumps(value, sort_keys=True)


@given(st.lists(OBJECTS, min_size=1, max_size=5))
def test_a_snapshot_and_the_deltas_are_the_state(states: list[dict[str, Any]]) -> None:
    known = states[0]
    for before, after in itertools.pairwise(states):
        patch = json.loads(json.dumps(difference(before, after)))
        known = merged(known, patch)
    assert text(known) == text(states[-1])


@given(OBJECTS)
def test_what_stays_is_not_told(state: dict[str, Any]) -> None:
    assert difference(state, state) == {}


def test_nothing_but_what_changed_is_told() -> None:
    before = {"a": {"x": 1, "y": 2}, "b": 1, "gone": {"z": 1}}
    after = {"a": {"x": 1, "y": 3}, "b": 1, "new": {}}
    assert difference(before, after) == {"a": {"y": 3}, "gone": None, "new": {}}


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [  # of RFC 7396, as far as patches are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_means_what_the_standard_says(
    before: dict[str, Any], patch: dict[str, Any], after: dict[str, Any]
) -> None:
    assert merged(before, patch) == after
