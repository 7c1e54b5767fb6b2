"""From words to watchers."""

from __future__ import annotations

from typing import Any

import pytest

from circus.ctl import arguments
from circus.ctl.targets import Target, choose
from circus.exc import ArgumentError

STATUSES = ["Web", "api-one", "api-two", "odd[1]", "@home"]
GROUPS = {"back": ["Web", "api-two"]}


@pytest.mark.parametrize(
    ("line", "words", "properties"),
    [
        ("start web db", ["web", "db"], {}),
        ("stop api-*", ["api-*"], {}),
        ("restart @back", ["@back"], {}),
        ("rm --group back --group front", ["@back", "@front"], {"nostop": False}),
        ("incr web db 2", ["web", "db"], {"nb": 2}),
        ("incr web db", ["web", "db"], {}),
        ("decr --group back 3", ["@back"], {"nb": 3}),
        ("scale web db 8", ["web", "db"], {"numprocesses": 8}),
        ("kill web db", ["web", "db"], {}),
        (
            "signal web db HUP --recursive",
            ["web", "db"],
            {"signum": "HUP", "children": False, "recursive": True},
        ),
        ("status web *", ["web", "*"], {}),
        ("start a b --match regex", ["a", "b"], {"match": "regex"}),
    ],
)
def test_several_are_told_from_what_follows(
    line: str, words: list[str], properties: dict[str, Any]
) -> None:
    asked = arguments.read(line.split())
    assert [target.word for target in asked.targets] == words
    assert asked.properties == properties


@pytest.mark.parametrize(
    ("line", "properties"),
    [
        ("scale web 8", {"name": "web", "numprocesses": 8}),
        ("scale web=8", {"name": "web", "numprocesses": 8}),
        ("scale a=b=8", {"name": "a=b", "numprocesses": 8}),
        ("incr 7", {"name": "7"}),
        ("start w* --match glob", {"name": "w*", "match": "glob"}),
    ],
)
def test_a_single_word_is_a_plain_message(line: str, properties: dict[str, Any]) -> None:
    asked = arguments.read(line.split())
    assert asked.targets == ()
    assert asked.properties == properties


def test_numbers_of_each() -> None:
    asked = arguments.read(["scale", "web=8", "db=2", "api-*", "4"])
    assert asked.properties == {"numprocesses": 4}
    assert asked.targets == (
        Target("web", {"numprocesses": 8}),
        Target("db", {"numprocesses": 2}),
        Target("api-*"),
    )
    with pytest.raises(ArgumentError, match="required: N"):
        arguments.read(["scale", "web=8", "db"])


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["WEB"], ["Web"]),
        (["api-*"], ["api-one", "api-two"]),
        (["A*", "web"], ["api-one", "api-two", "Web"]),
        (["@back", "web", "*"], ["Web", "api-two", "@home", "api-one", "odd[1]"]),
        (["odd[1]", "@home"], ["odd[1]", "@home"]),
        (["odd[[]*"], ["odd[1]"]),
    ],
)
def test_each_is_chosen_once_in_the_order_given(words: list[str], labels: list[str]) -> None:
    chosen = choose(map(Target, words), STATUSES, GROUPS)
    assert [one.label for one in chosen] == labels
    assert not any(one.trouble for one in chosen)


def test_what_means_nothing_is_told_in_its_place() -> None:
    chosen = choose(map(Target, ["x*", "web", "nope", "@none"]), STATUSES, GROUPS)
    assert [(one.label, one.trouble) for one in chosen] == [
        ("x*", "program x* not found"),
        ("Web", ""),
        ("nope", "program nope not found"),
        ("@none", "no watcher is in the group none"),
    ]
