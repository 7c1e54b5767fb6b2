"""Sessions begin, last, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from circus.access import Role
from circus.web.sessions import TOLD_MOST, Sessions, Told, name_of, same
from circus.web.shelf import Shelf
from circus.web.visitor import Visitor
from tests.unit.web.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


def kept(file: Path | None, clock: Clock) -> Sessions:
    return Sessions(Shelf(file), KEY, idle=600.0, longest=3600.0, clock=clock)


@pytest.fixture(params=["in memory", "in a file"])
def some(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Sessions:
    return kept(tmp_path / "sessions.json" if request.param == "in a file" else None, clock)


def who(some: Sessions, secret: str) -> str:
    found = some.find(secret)
    return found[1].name if found else ""


def test_who_has_the_secret_is_who_logged_in(some: Sessions) -> None:
    secret = some.begin("alice", Role.OPERATE, stamp="s")
    found = some.find(secret)
    assert found is not None
    assert found[0] == name_of(secret)
    assert (found[1].name, found[1].role, found[1].stamp) == ("alice", Role.OPERATE, "s")
    assert some.find(secret[:-1]) is None
    assert some.find(found[0]) is None
    assert len(secret) == 43


def test_who_does_nothing_for_too_long_has_left(some: Sessions, clock: Clock) -> None:
    secret = some.begin("alice", Role.READ)
    for _ in range(3):
        clock.now += 599
        assert who(some, secret) == "alice"
    clock.now += 601
    assert who(some, secret) == ""


def test_nobody_stays_for_ever(some: Sessions, clock: Clock) -> None:
    secret = some.begin("alice", Role.READ)
    for _ in range(6):
        clock.now += 599
        assert who(some, secret) == "alice"
    clock.now += 7
    assert who(some, secret) == ""


def test_an_end_is_one_for_every_process(tmp_path: Path, clock: Clock) -> None:
    one, other = (kept(tmp_path / "sessions.json", clock) for _ in range(2))
    secret, stays = one.begin("alice", Role.READ), other.begin("bob", Role.READ)
    assert who(other, secret) == "alice"
    other.end(name_of(secret))
    assert who(one, secret) == ""
    assert who(one, stays) == "bob"
    assert who(kept(tmp_path / "sessions.json", clock), secret) == ""


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"x": 1}', '{"x": ["a", "boss", 1, 1, "", []]}', '{"x": [1]}']
)
def test_a_file_that_cannot_be_read_lets_nobody_in_and_does_not_harm(
    tmp_path: Path, clock: Clock, text: str
) -> None:
    file = tmp_path / "sessions.json"
    file.write_text(text)
    some = kept(file, clock)
    assert some.find("x") is None
    assert who(some, some.begin("alice", Role.READ)) == "alice"


def test_there_are_not_too_many(clock: Clock) -> None:
    some = Sessions(Shelf(None), KEY, idle=600.0, longest=3600.0, most=3, clock=clock)
    first = some.begin("first", Role.READ)
    secrets = []
    for number in range(3):
        clock.now += 1
        secrets.append(some.begin(str(number), Role.READ))
    assert [who(some, one) for one in [first, *secrets]] == ["", "0", "1", "2"]


def test_what_is_told_is_told_once(some: Sessions) -> None:
    secret = some.begin("alice", Role.READ)
    for visitor in (
        Visitor("alice", Role.READ, session=name_of(secret)),
        Visitor("bob", Role.READ, session="proxy:bob"),
    ):
        some.tell(visitor, "done")
        some.tell(visitor, "x" * 5000, "refused")
        first, second = some.take(visitor)
        assert first == Told("done", "done")
        assert (len(second.text), second.kind) == (2000, "refused")
        assert some.take(visitor) == ()
        for number in range(2 * TOLD_MOST):
            some.tell(visitor, str(number))
        assert len(some.take(visitor)) == TOLD_MOST
    some.tell(Visitor(), "nobody hears it")
    assert some.take(Visitor()) == ()


def test_messages_wait_for_so_many_and_no_more(clock: Clock) -> None:
    """Of those whom a proxy lets in, who never end a session."""
    some = Sessions(Shelf(None), KEY, idle=600.0, longest=3600.0, most=2, clock=clock)
    visitors = [Visitor(name, Role.READ, session=f"proxy:{name}") for name in ("a", "b", "c")]
    for one in visitors:
        some.tell(one, f"for {one.name}")
    assert [some.take(one) for one in visitors] == [
        (), (Told("for b", "done"),), (Told("for c", "done"),)
    ]  # fmt: skip


def test_a_token_is_for_one_purpose_of_one_session(some: Sessions) -> None:
    token = some.token("session", "a")
    assert same(token, some.token("session", "a"))
    assert not same(token, some.token("login", "a"))
    assert not same(token, some.token("session", "b"))
    other = Sessions(Shelf(None), b"x" * 32, idle=1, longest=1)
    assert not same(token, other.token("session", "a"))
    assert not same("", "")
    assert not same("ä", token)
