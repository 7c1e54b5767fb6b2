"""What is derived from the commands, and what they must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from circus.commands import COMMANDS, Role, find, get_commands
from circus.commands.kinds import KINDS
from circus.commands.lifecycle import Stop
from circus.exc import UnknownCommand

# The verbs of circus 0.19, its `ipython` aside.
OLD_VERBS = [
    *("add", "decr", "dstats", "get", "globaloptions", "incr", "kill", "list", "listen"),
    *("listsockets", "numprocesses", "numwatchers", "options", "quit", "reload", "reloadconfig"),
    *("restart", "rm", "set", "signal", "start", "stats", "status", "stop"),
]


NEW_VERBS = (
    "why",
    "wait",
    "is-active",
    "logs",
    "plan",
    "rollback",
    "foresee",
    "scale",
    "freeze",
    "thaw",
    "keygen",
    "import",
    "events",
    "console-login",
    "console-redeem",
)


def test_every_verb_is_there_once() -> None:
    verbs = [command.verb for command in COMMANDS]
    assert verbs == sorted(set(verbs))
    assert {*OLD_VERBS, *NEW_VERBS} == set(verbs)
    assert list(get_commands()) == verbs


def test_only_those_who_look_need_no_more_than_to_read() -> None:
    reading = {command.verb for command in COMMANDS if command.role is Role.READ}
    assert reading.isdisjoint({command.verb for command in COMMANDS if command.waits})
    assert {find(verb).role for verb in ("rm", "quit", "reloadconfig")} == {Role.ADMIN}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.verb)
def test_a_command_explains_itself(command: type) -> None:
    found = find(command.verb)  # type: ignore[attr-defined]  # the parameter is one of them
    assert found.title()[0].isupper()
    assert all(row.doc for row in found.arguments)
    assert all(row.kind in KINDS.values() for row in found.arguments)


def test_a_command_does_not_change() -> None:
    stop = Stop(name="web")
    assert repr(stop) == "Stop(name='web', match='glob')"
    assert stop == Stop(name="web")
    assert stop != Stop(name="other")
    assert hash(stop) == hash(Stop(name="web"))
    with pytest.raises(AttributeError, match="does not change"):
        stop.name = "x"  # type: ignore[misc]  # what mypy says too


def test_unknown_verbs() -> None:
    with pytest.raises(UnknownCommand, match=r"^unknown command: 'x{40}'$"):
        find("x" * 5000)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["incr", "--help"], ["incr"]])
def test_help_loads_neither_the_engine_nor_zeromq(words: list[str]) -> None:
    heavy = ["zmq", "asyncio", "dataclasses", "inspect", "uuid", "subprocess", "socket"]
    heavy += ["circus.engine", "circus.client", "circus.config", "circus.host"]
    assert loaded(words).isdisjoint(heavy)


def test_a_question_loads_only_what_it_needs() -> None:
    heavy = ["asyncio", "dataclasses", "inspect", "uuid", "subprocess", "psutil"]
    heavy += ["circus.engine", "circus.config", "circus.host", "circus.ctl.shell"]
    assert loaded(["--endpoint", "tcp://127.0.0.1:1", "status"]).isdisjoint(heavy)
    heavy += ["socket", "selectors", "shutil", "zlib"]
    assert loaded(["--endpoint", "ipc:///tmp/nowhere", "status"]).isdisjoint(heavy)


def loaded(words: list[str]) -> set[str]:
    """The modules that circusctl has imported by its end."""
    code = (
        "import sys; from circus.circusctl import main; main(sys.argv[1:]);"
        "print(); print(*sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    return set(found.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("key", "text", "sent"),
    [
        ("numprocesses", "2", 2),
        ("graceful_timeout", "2.5", 2.5),
        ("max_age", "600", 600),
        ("send_hup", "yes", True),
        ("stop_signal", "SIGINT", 2),
        ("rlimit_nofile", "500", 500),
        ("rlimit_nofile", "unlimited", None),
        ("uid", "nobody", "nobody"),
        ("env", "A=1,B=2", {"A": "1", "B": "2"}),
        ("hooks", "before_start:a.b", {"before_start": "a.b"}),
        ("hooks.before_start", "a.b,true", "a.b,true"),
        ("stdout_stream.max_bytes", "1000", 1000),
        ("stdout_stream.filename", "1000", "1000"),
        ("args", "600", "600"),
        # what the daemon has something to say about
        ("numprocesses", "many", "many"),
        ("env", "nothing", "nothing"),
        ("hooks", "nothing", "nothing"),
        ("stderr_stream.backup_count", "x", "x"),
        ("nope", "1", "1"),
    ],
)
def test_set_sends_values_as_what_they_are(key: str, text: str, sent: object) -> None:
    properties = find("set").properties({"name": "w", "options": [key, text]})
    assert properties == {"name": "w", "options": {key: sent}}
