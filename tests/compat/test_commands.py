"""Commands as a program for circus 0.19 declares them, and what it checks options with."""

from __future__ import annotations

import pytest

from circus import get_arbiter
from circus.client import CircusClient
from circus.commands import KNOWN_COMMANDS, Role, add, error, find, get_commands, ok
from circus.commands.base import Command
from circus.commands.util import convert_option, validate_option
from circus.exc import ArgumentError, ConflictError, MessageError


class Census(Command):
    """Count workers

    Of all watchers, or of one."""

    name = "Census"
    msg_type = "dealer"
    options = (("w", "watcher", "", "of this one"), ("", "zero", False, "say nothing of none"))

    def message(self, *args: str, **opts: object) -> dict[str, object]:
        if args:
            raise ArgumentError("no words, please")
        return self.make_message(**{key: value for key, value in opts.items() if value})

    def execute(self, arbiter: object, props: dict[str, object]) -> object:
        if "watcher" not in props:
            return ok({"count": arbiter.numprocesses()})  # type: ignore[attr-defined]  # as theirs
        return error(f"nothing is known of {props['watcher']}")

    def console_msg(self, msg: object) -> str:
        return super().console_msg(msg)  # type: ignore[arg-type]  # as theirs


def test_a_program_that_has_a_class_has_its_command() -> None:
    arbiter = get_arbiter([{"cmd": "sleep 3600", "numprocesses": 2}], background=True)
    arbiter.start()
    client = CircusClient(endpoint=arbiter.endpoint, timeout=30)
    try:
        assert client.send_message("census")["count"] == 2
        answer = client.call({"command": "CENSUS", "properties": {"watcher": "x"}})
        assert (answer["status"], answer["reason"]) == ("error", "nothing is known of x")
    finally:
        client.stop()
        arbiter.stop()


def test_it_is_one_of_all_commands() -> None:
    made = find("census")
    assert get_commands()["census"] is made
    assert made in KNOWN_COMMANDS
    assert made.role is Role.ADMIN
    assert made.title() == "Count workers"
    assert made.prose() == "Of all watchers, or of one."
    assert made.shell_form() == "circusctl census [--watcher WATCHER] [--zero] [ARGUMENTS...]"
    assert made.properties({"watcher": "web"}) == {"watcher": "web"}
    with pytest.raises(ArgumentError, match="no words"):
        made.properties({"arguments": ("a",)})
    assert made.show(ok()) == "ok"
    assert Census().console_msg(error("why not")) == "error: why not"


def test_words_are_the_properties_in_their_order() -> None:
    class Two(Command):
        """Take two"""

        name = "take-two"
        properties = ("one", "two")

    made = find("take-two")
    assert made.properties({"arguments": ("a", "b")}) == {"one": "a", "two": "b"}
    with pytest.raises(MessageError, match="too many words: take-two takes 2"):
        made.properties({"arguments": ("a", "b", "c")})
    with pytest.raises(MessageError, match="message invalid 'two' is missing"):
        made.from_properties({"one": "a"})


def test_a_verb_is_that_of_one_class_and_may_be_declared_anew() -> None:
    before = len(KNOWN_COMMANDS)
    made = find("census")
    add(made)
    assert (find("census"), len(KNOWN_COMMANDS)) == (made, before)
    with pytest.raises(ConflictError, match=r"it is that of .*Census"):
        type("Other", (Command,), {"name": "census"})
    assert find("census") is made


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("numprocesses", "3", 3),
        ("graceful_timeout", "2.5", 2.5),
        ("send_hup", "yes", True),
        ("env", "A=1,B=2", {"A": "1", "B": "2"}),
        ("hooks", "before_start:a.b", {"before_start": "a.b"}),
        ("hooks.before_start", "a.b", "a.b"),
        ("stdout_stream.max_bytes", "5", 5),
        ("stdout_stream.filename", "5", "5"),
        ("rlimit_nofile", "5", 5),
    ],
)
def test_a_word_is_converted_and_the_value_is_valid(key: str, text: str, value: object) -> None:
    assert convert_option(key, text) == value
    validate_option(key, value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("numprocesses", "many", "numprocesses: 'many' is not a whole number"),
        ("hooks", {"nope": "a.b"}, "unknown hook 'nope'"),
        ("rlimit_nope", 5, "unknown limit 'nope'"),
        ("nope", 1, "unknown key 'nope'"),
    ],
)
def test_what_an_option_cannot_be_is_told(key: str, value: object, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        validate_option(key, value)


def test_an_option_that_there_is_not_is_not_converted() -> None:
    with pytest.raises(ArgumentError, match="unknown key 'numproceses', did you mean"):
        convert_option("numproceses", "3")
