"""What the console has circusd do, and for whom it does not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from circus.access import Role
from circus.exc import Denied, MessageError, UnknownCommand
from circus.web.actions import perform
from circus.web.application import parts_of
from circus.web.controller import Refused
from circus.web.parts import Parts
from circus.web.settings import Settings
from circus.web.visitor import Visitor
from tests.daemon.conftest import circusd as circusd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.daemon.conftest import Start
    from tests.support import Daemon

    Console = Callable[..., Parts]

CONFIG = """
[watcher:web]
cmd = sleep 3600
[env:web]
SECRET = hush
"""
READER, OPERATOR, ADMIN = (Visitor(f"some {role}", role) for role in Role)


@pytest.fixture
def daemon(circusd: Start) -> Daemon:
    return circusd(CONFIG)


@pytest.fixture
def console(daemon: Daemon) -> Iterator[Console]:
    """The parts of a console of that daemon, set up as it is told."""
    made: list[Parts] = []

    def make(**settings: bool) -> Parts:
        made.append(parts_of(Settings(endpoint=daemon.endpoint, **settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_change_has_begun_or_is_done(daemon: Daemon, console: Console) -> None:
    parts = console()
    daemon.wait_pids("web", 1)
    done = perform(parts, OPERATOR, "incr", {"name": "web"}, waiting=True)
    assert (done.finished, done.fields["numprocesses"]) == (True, 2)
    assert not perform(parts, OPERATOR, "decr", {"name": "web"}).finished
    daemon.wait_pids("web", 1)


def test_a_dry_run_touches_nothing(daemon: Daemon, console: Console) -> None:
    before = daemon.wait_pids("web", 1)
    reply = perform(console(), OPERATOR, "restart", {"name": "web"}, dry_run=True)
    assert reply.fields["steps"][0]["action"] == "restart"
    assert daemon.pids("web") == before


@pytest.mark.parametrize(
    ("visitor", "verb", "properties", "role"),
    [
        (Visitor(), "list", {}, "read"),
        (READER, "stop", {"name": "web"}, "operate"),
        (OPERATOR, "rm", {"name": "web"}, "admin"),
        (OPERATOR, "restart", {}, "admin"),
        (OPERATOR, "set", {"name": "web", "options": {"cmd": "sleep 1"}}, "admin"),
        (OPERATOR, "add", {"name": "new", "cmd": "sleep 1"}, "admin"),
    ],
)
def test_t53_a_role_that_is_missing_is_named_and_the_denial_written_down(
    visitor: Visitor,
    verb: str,
    properties: dict[str, object],
    role: str,
    console: Console,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Denied, match=f"takes the role {role}; "):
        perform(console(allow_add=True), visitor, verb, properties)
    (line,) = [one for one in caplog.records if one.name == "circus.audit"]
    assert line.getMessage().endswith("outcome=denied")


def test_t53_a_change_is_written_down_without_its_values(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    parts = console()
    perform(parts, ADMIN, "set", {"name": "web", "options": {"env.SECRET": "louder"}}, waiting=True)
    perform(parts, READER, "list", {})
    (line,) = [one.getMessage() for one in caplog.records if one.name == "circus.audit"]
    assert 'who="some admin" from=- verb=set target=web details=env.SECRET outcome=done' in line
    assert "louder" not in line


def test_t53_values_of_variables_are_for_administrators(console: Console) -> None:
    parts = console()
    shown = {
        visitor.role: perform(parts, visitor, "options", {"name": "web"}).fields["options"]["env"]
        for visitor in (READER, OPERATOR, ADMIN)
    }
    hidden = {"SECRET": "***"}
    assert shown == {Role.READ: hidden, Role.OPERATE: hidden, Role.ADMIN: {"SECRET": "hush"}}


def test_a_console_that_only_looks_changes_nothing(console: Console) -> None:
    parts = console(readonly=True)
    with pytest.raises(Denied, match="readonly"):
        perform(parts, ADMIN, "stop", {"name": "web"})
    assert perform(parts, ADMIN, "status", {"name": "web"}).fields["status"] == "active"
    assert perform(parts, ADMIN, "plan", {}).fields["steps"] == []


def test_watchers_are_added_when_the_settings_say_so(console: Console) -> None:
    new = {"name": "new", "cmd": "sleep 3600"}
    with pytest.raises(Denied, match="allow_add"):
        perform(console(), ADMIN, "add", new)
    assert perform(console(allow_add=True), ADMIN, "add", new, waiting=True).finished


def test_what_is_wrong_is_told_in_the_words_of_circusd(console: Console) -> None:
    parts = console()
    with pytest.raises(MessageError, match="'nb' isn't an integer"):
        perform(parts, OPERATOR, "incr", {"name": "web", "nb": "many"})
    with pytest.raises(UnknownCommand, match="quit is not for the console: it ends circusd"):
        perform(parts, ADMIN, "quit", {})
    with pytest.raises(Refused, match="program nosuch not found") as refused:
        perform(parts, OPERATOR, "stop", {"name": "nosuch"})
    assert refused.value.word == "not-found"


def test_a_wait_ends_when_it_is_told_to(console: Console) -> None:
    wanted = {"names": ["web"], "until": "stopped", "timeout": 0.1}
    with pytest.raises(Refused, match=r"not stopped after 0\.1 s: web is active"):
        perform(console(), READER, "wait", wanted)
