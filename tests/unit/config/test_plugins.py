"""Sections of plugins, as the watchers that run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from circus.config.assemble import assemble
from circus.config.load import load
from circus.config.model import Config, WatcherConfig
from circus.config.plan import plan
from circus.config.plugins import OPTIONS, with_plugins
from circus.exc import ConfigError
from circus.steps import Action, Step


def read(folder: Path, text: str) -> Config:
    file = folder / "x.ini"
    file.write_text(text)
    return with_plugins(load(str(file), {}).config, "tcp://*:5555", "ipc:///x/pubsub", "python")


def plugin(folder: Path, *lines: str) -> WatcherConfig:
    return read(folder, "\n".join(["[plugin:P]", "use = m.C", *lines, ""])).watchers["plugin:p"]


def options(config: WatcherConfig) -> dict[str, str]:
    found: dict[str, str] = json.loads(config.env[OPTIONS])
    return found


def test_a_plugin_is_a_watcher_that_knows_where_circusd_is(tmp_path: Path) -> None:
    found = plugin(tmp_path)
    assert (found.name, found.cmd) == ("plugin:P", "python")
    assert found.args == (
        *("-P", "-m", "circus.plugins", "--endpoint", "tcp://127.0.0.1:5555"),
        *("--pubsub", "ipc:///x/pubsub", "--check-delay", "5", "--path", str(tmp_path), "m.C"),
    )
    assert found.stdout_stream == found.stderr_stream == {}
    assert (found.singleton, found.priority, found.copy_env, found.copy_path) == (
        True,
        1,
        True,
        True,
    )


def test_options_of_watchers_count_for_it_too_but_for_what_it_runs(tmp_path: Path) -> None:
    found = plugin(
        tmp_path,
        *("cmd = rm", "shell = yes", "env = a=b", "retry_in = 7", "priority = '9'"),
        *("stdout_stream.filename = /x", "free = 1"),
    )
    assert (found.cmd, found.shell, found.priority, found.backoff_delay) == (
        "python",
        False,
        9,
        0.1,
    )
    assert found.stdout_stream == {"filename": "/x"}
    assert options(found) == {
        **{"name": "plugin:P", "cmd": "rm", "shell": "yes", "env": "a=b", "retry_in": "7"},
        **{"priority": "9", "stdout_stream.filename": "/x", "free": "1"},
    }


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ('"^a b.*$"', "^a b.*$"),
        ("'it'", "it"),
        ("'", "'"),
        ('"one" "two"', 'one" "two'),
        ("\"open'", "\"open'"),
        ("a:::b", "a:::b"),
    ],
)
def test_one_pair_of_quotes_around_a_value_is_taken_off(
    tmp_path: Path, written: str, given: str
) -> None:
    assert options(plugin(tmp_path, f"value = {written}"))["value"] == given


def test_a_change_is_told_in_the_words_of_the_section(tmp_path: Path) -> None:
    def steps(before: str, after: str) -> list[Step]:
        section = "[plugin:p]\nuse = m.C\n"
        one, two = (read(tmp_path, section + text) for text in (before, after))
        return list(plan(one, two))

    assert steps("loop_rate = 1\n", "loop_rate = 1\n") == []
    for before, after, reasons in (
        ("loop_rate = 1\n", "loop_rate = 2\nmore = 3\n", ("loop_rate", "more")),
        ("priority = 1\nx = 1\n", "priority = 2\nx = 2\n", ("priority", "x")),
    ):
        assert steps(before, after) == [
            Step("watcher", "plugin:p", Action.ROLLING, reasons),
        ]
    for option, value in (("check_delay", "9"), ("ssh_server", "me@there:22")):
        (circus, step) = steps("", f"[circus]\n{option} = {value}\n")
        assert (circus.kind, step.reasons) == ("circus", (option,))
    (step,) = steps("", "active = no\n")
    assert step.action is Action.STOP


def test_a_watcher_that_is_called_like_a_plugin_keeps_its_own_words(tmp_path: Path) -> None:
    section = "[watcher:plugin:mine]\ncmd = x\n[env:plugin:mine]\n"
    one, two = (read(tmp_path, f"{section}{OPTIONS} = {value}\n") for value in "12")
    assert [step.reasons for step in plan(one, two)] == [(f"env.{OPTIONS}",)]


def test_plugins_of_a_program(tmp_path: Path) -> None:
    given = [{"use": "m.C", "x": 1}, {"use": "m:D", "name": "plugin:d", "singleton": True}]
    found = with_plugins(assemble({}, (), (), given), "e", "p", "python")
    assert [one.name for one in found.watchers.values()] == ["plugin:C", "plugin:d"]
    assert options(found.watchers["plugin:c"]) == {"name": "plugin:C", "x": "1"}
    with pytest.raises(ConfigError, match="a singleton cannot have numprocesses above 1"):
        assemble({}, (), (), [{"use": "m.C", "numprocesses": 2}])


def test_what_is_no_plugin_of_a_program_is_told_of_each() -> None:
    given: list[dict[str, object]] = [
        {},
        {"name": "mine", "use": None},
        {"use": "not a name"},
        {"use": "m.Fine"},
        {"use": "m.C", "nice": "x", "active": "perhaps"},
    ]
    with pytest.raises(ConfigError) as caught:
        assemble({}, (), (), given)
    assert str(caught.value).splitlines() == [
        "plugin: use is missing, the dotted name of its class",
        "plugin 'mine': use is missing, the dotted name of its class",
        "plugin 'not a name': use: 'not a name' is not a name such as package.module.name",
        "plugin 'm.C': active: 'perhaps' is not a boolean (use true or false)",
        "plugin 'm.C': nice: 'x' is not a whole number",
    ]


def test_debug_shows_what_plugins_say_unless_they_have_a_stream(tmp_path: Path) -> None:
    text = "[circus]\ndebug = True\n[plugin:p]\nuse = m.C\nstderr_stream.filename = x\n"
    found = read(tmp_path, text).watchers["plugin:p"]
    assert "--log-level debug" in " ".join(found.args)
    assert found.stdout_stream == {"class": "StdoutStream"}
    assert found.stderr_stream == {"filename": "x"}
