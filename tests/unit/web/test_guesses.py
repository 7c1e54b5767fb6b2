"""Whoever guesses has to wait, twice as long each time."""

from __future__ import annotations

import pytest

from circus.web.guesses import FREE, KEPT, LONGEST, Guesses
from tests.unit.web.clock import Clock

HERE = "192.0.2.1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def some(clock: Clock) -> Guesses:
    return Guesses(clock)


def fail(some: Guesses, user: str = "alice", address: str = HERE) -> None:
    assert some.begin(user, address) == 0


def test_some_failures_cost_no_time_and_each_further_one_twice_as_much(
    some: Guesses, clock: Clock
) -> None:
    for _ in range(FREE):
        fail(some)
    waits = []
    for _ in range(13):
        waits.append(some.begin("alice", HERE))
        clock.now += waits[-1]
        fail(some)
    assert waits == [*(2.0**n for n in range(10)), LONGEST, LONGEST, LONGEST]


def test_to_try_while_one_has_to_wait_makes_it_no_longer(some: Guesses, clock: Clock) -> None:
    for _ in range(FREE):
        fail(some)
    clock.now += 0.25
    assert [some.begin("alice", HERE) for _ in range(3)] == [0.75] * 3


def test_it_counts_for_the_user_from_anywhere_and_for_the_address_with_any_user(
    some: Guesses,
) -> None:
    for number in range(FREE):
        fail(some, "alice", f"198.51.100.{number}")
    assert some.begin("alice", HERE) > 0
    for number in range(FREE):
        fail(some, f"user-{number}", HERE)
    assert some.begin("bob", HERE) > 0
    fail(some, "bob", "203.0.113.1")


def test_an_address_of_ipv6_is_all_of_its_network(some: Guesses) -> None:
    for number in range(FREE):
        fail(some, f"user-{number}", f"2001:db8::{number:x}")
    assert some.begin("bob", "2001:db8::ffff") > 0
    fail(some, "bob", "2001:db8:0:1::1")


def test_the_right_password_ends_it(some: Guesses) -> None:
    for _ in range(FREE - 1):
        fail(some)
    fail(some)
    some.right("alice", HERE)
    fail(some)  # the user's are forgotten, this address has as many as before
    assert some.begin("alice", HERE) > 0
    fail(some, "alice", "203.0.113.1")


def test_many_at_once_are_many(some: Guesses) -> None:
    assert [some.begin("alice", HERE) > 0 for _ in range(FREE + 3)] == [False] * FREE + [True] * 3


def test_it_is_forgotten_some_day(some: Guesses, clock: Clock) -> None:
    for _ in range(FREE):
        fail(some)
    clock.now += KEPT + 1
    for _ in range(FREE):
        fail(some)


def test_only_so_many_are_remembered(clock: Clock) -> None:
    some = Guesses(clock, most=10)
    for _ in range(FREE):
        fail(some)
    for number in range(3):
        fail(some, f"user-{number}", f"198.51.100.{number}")
    assert some.begin("alice", HERE) > 0
    for number in range(10):
        fail(some, f"more-{number}", f"203.0.113.{number}")
    assert len(some._counts) == 10
