"""From the words of a command line to a message."""

from __future__ import annotations

from typing import Any

import pytest

from circus.commands import COMMANDS
from circus.ctl import arguments
from circus.exc import ArgumentError


def read(line: str) -> arguments.Asked:
    return arguments.read(line.split())


@pytest.mark.parametrize(
    ("line", "verb", "properties", "waiting"),
    [
        ("list", "list", {}, False),
        ("list web", "list", {"name": "web"}, False),
        ("stop web --waiting", "stop", {"name": "web"}, True),
        ("--timeout 3 stop --waiting web", "stop", {"name": "web"}, True),
        ("start w* --match regex", "start", {"name": "w*", "match": "regex"}, False),
        ("incr web", "incr", {"name": "web"}, False),
        ("incr web 2", "incr", {"name": "web", "nb": 2}, False),
        ("reload web", "reload", {"name": "web", "graceful": True, "sequential": False}, False),
        (
            "reload --terminate --sequential",
            "reload",
            {"graceful": False, "sequential": True},
            False,
        ),
        (
            "signal web 9",
            "signal",
            {"name": "web", "signum": "9", "children": False, "recursive": False},
            False,
        ),
        (
            "signal web --children 12 TERM",
            "signal",
            {"name": "web", "pid": 12, "signum": "TERM", "children": True, "recursive": False},
            False,
        ),
        (
            "kill web 12 --signum 9 --graceful_timeout 3 --waiting",
            "kill",
            {"name": "web", "pid": 12, "signum": "9", "graceful_timeout": 3.0},
            True,
        ),
        ("rm web --nostop --waiting", "rm", {"name": "web", "nostop": True}, True),
        (
            "add --start web sleep -x 5 --json",
            "add",
            {"name": "web", "cmd": "sleep -x 5 --json", "start": True},
            False,
        ),
        (
            "set web Numprocesses 3 env.MyVar A=1,B max_retry -1",
            "set",
            {
                "name": "web",
                "options": {"numprocesses": 3, "env.MyVar": "A=1,B", "max_retry": -1},
            },
            False,
        ),
        ("set web args -- -v", "set", {"name": "web", "options": {"args": "-v"}}, False),
        ("get web cmd args", "get", {"name": "web", "keys": ["cmd", "args"]}, False),
        ("stats web 3", "stats", {"name": "web", "process": 3, "extended": False}, False),
        (
            "wait web db --for settled --timeout 3",
            "wait",
            {"names": ["web", "db"], "until": "settled", "timeout": 3.0},
            False,
        ),
        ("logs web -fn3", "logs", {"name": "web", "follow": True, "lines": 3}, False),
        ("listen", "listen", {}, False),
        ("listen a b", "listen", {"topics": ["a", "b"]}, False),
    ],
)  # fmt: skip
def test_a_line_becomes_a_message(
    line: str,
    verb: str,
    properties: dict[str, Any],
    waiting: bool,  # noqa: FBT001 pytest's way
) -> None:
    asked = read(line)
    assert asked.command is not None
    assert asked.command.verb == verb
    assert asked.properties == properties
    assert asked.waiting is waiting


def test_options_stand_before_the_command_or_after_it() -> None:
    for line in ("--json --endpoint ipc:///x status", "status --endpoint=ipc:///x --json"):
        options = read(line).options
        assert options.json
        assert options.endpoint == "ipc:///x"
        assert options.timeout is None


def test_the_time_out_of_wait_is_its_own() -> None:
    asked = read("--timeout 3 wait web --timeout 4")
    assert asked.options.timeout == 3
    assert asked.properties["timeout"] == 4


def test_options_of_a_session_hold() -> None:
    session = read("--endpoint ipc:///x --timeout 2").options
    asked = arguments.read(["status", "--timeout", "3"], session)
    assert (asked.options.endpoint, asked.options.timeout) == ("ipc:///x", 3)
    assert session.timeout == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nope", "unrecognized arguments: nope"),
        ("statsu", "did you mean 'stats'?"),
        ("--nope", "unrecognized arguments: --nope"),
        ("--endpoint", "expected one argument"),
        ("--timeout 0 list", "'0' isn't a number of seconds above 0"),
        ("list --timeout nan", "'nan' isn't a number of seconds above 0"),
        ("list --timeout -1", "'-1' isn't a number of seconds above 0"),
        ("list --timeout 1e400", "'1e400' isn't a number of seconds above 0"),
        ("list --timeout soon", "'soon' isn't a number of seconds above 0"),
        ("incr", "required: NAME"),
        ("scale web x", "'x' isn't an integer"),
        ("scale web=x", "'x' isn't an integer"),
        ("scale web", "required: N"),
        ("kill web db 12", "a PID is a worker of one watcher"),
        ("signal web db 12 TERM", "a PID is a worker of one watcher"),
        ("signal web", "required: SIGNUM"),
        ("signal", "required: NAME, SIGNUM"),
        ("incr web --wait", "unrecognized arguments: --wait"),
        ("set web a", "List of key/values is invalid"),
        ("add web", "required: CMD"),
        ("kill web --graceful_timeout soon", "'soon' isn't a number of seconds"),
        ("logs web -n -3", "must be between 0 and"),
        ("get web", "required: KEY"),
    ],
)
def test_a_wrong_line_is_told_with_its_usage(line: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=r"usage: circusctl") as caught:
        read(line)
    assert words in str(caught.value)


@pytest.mark.parametrize("line", ["--help", "-h", "help"])
def test_help(line: str) -> None:
    asked = read(line)
    assert asked.options.help
    assert asked.command is None
    text = arguments.overview()
    assert text.startswith(
        "usage: circusctl [options] command [args]\n\nControls a Circus daemon\n"
    )
    assert "\nCommands:\n  add                   Add a watcher\n" in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.verb)
def test_help_of_each_command_begins_with_its_title(command: Any) -> None:
    for line in (f"{command.verb} --help", f"--help {command.verb}", f"help {command.verb}"):
        asked = read(line)
        assert asked.options.help
        assert asked.command is command
    text = arguments.explain(command).splitlines()
    assert text[0] == command.title()
    assert f"usage: {command.shell_form()}" in text


def test_help_of_a_program_is_not_ours() -> None:
    assert read("add web prog --help").properties["cmd"] == "prog --help"
