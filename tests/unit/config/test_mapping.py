"""Watchers from values, as programs and the wire give them."""

from __future__ import annotations

from typing import Any

import pytest

from circus.config.mapping import changed, watcher_from_mapping
from circus.exc import ArgumentError, ConfigError


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("a", {}, "watcher 'a': cmd is missing"),
        ("a", {"cmd": None}, "watcher 'a': cmd is missing"),
        (" ", {"cmd": "x"}, "a watcher needs a name"),
        ("a\n", {"cmd": "x"}, "the name 'a\\n' of a watcher has characters that cannot be shown"),
        ("a", {"cmd": "x\0"}, "watcher 'a': cmd: a NUL byte cannot be part of it"),
        ("a", {"cmd": "x", "env": {"A=B": "1"}},
         "watcher 'a': env: 'A=B' cannot be the name of a variable"),
        ("a", {"cmd": "x", "hooks": "m.f"},
         "watcher 'a': hooks: it takes several options, write hooks.NAME = value"),
        ("a", {"cmd": "x", "singleton": True, "numprocesses": 2},
         "watcher 'a': a singleton cannot have numprocesses above 1"),
    ],
)  # fmt: skip
def test_what_is_no_watcher_is_told(name: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        watcher_from_mapping(name, given)
    assert str(caught.value) == said


def test_a_command_cannot_be_taken_away() -> None:
    with pytest.raises(ArgumentError, match=r"^cmd is missing$"):
        changed(watcher_from_mapping("a", {"cmd": "x"}), {"cmd": None})


def test_a_hook_may_be_a_function() -> None:
    watcher = watcher_from_mapping("a", {"cmd": "x", "hooks": {"before_start": len}})
    assert watcher.hooks == {"before_start": (len, False)}


def test_streams_are_given_as_a_mapping_or_key_by_key() -> None:
    one = watcher_from_mapping("a", {"cmd": "x", "stdout_stream": {"filename": "/run/a"}})
    other = watcher_from_mapping("a", {"cmd": "x", "stdout_stream.filename": "/run/a"})
    assert one == other
    assert watcher_from_mapping("a", {"cmd": "x", "stdout_stream": None}).stdout_stream == {}
