"""Tickets for the web console."""

from __future__ import annotations

import pytest

from circus.access import Role
from circus.exc import NotFound
from circus.tickets import MOST, VALID, Holder, Tickets


def test_a_ticket_is_used_once() -> None:
    tickets = Tickets()
    ticket = tickets.give("alice", Role.OPERATE, 0.0)
    assert len(ticket) == 43
    for _ in range(2):
        assert tickets.see(ticket, 1.0) == Holder("alice", Role.OPERATE)
    assert tickets.use(ticket, 1.0) == Holder("alice", Role.OPERATE)
    with pytest.raises(NotFound, match="ask for another with: circusctl console-login"):
        tickets.use(ticket, 1.0)
    with pytest.raises(NotFound):
        tickets.see(ticket, 1.0)


def test_it_is_worth_nothing_when_it_is_old() -> None:
    tickets = Tickets()
    ticket = tickets.give("alice", Role.READ, 0.0)
    assert tickets.see(ticket, VALID - 1)
    with pytest.raises(NotFound):
        tickets.use(ticket, VALID)


def test_not_too_many_wait_and_none_of_them_is_kept() -> None:
    tickets = Tickets()
    given = [tickets.give("alice", Role.READ, 0.0) for _ in range(MOST + 1)]
    with pytest.raises(NotFound):
        tickets.see(given[0], 0.0)
    assert all(tickets.see(one, 0.0) for one in given[1:])
    assert not {one.encode() for one in given} & set(tickets._waiting)


@pytest.mark.parametrize("ticket", ["", "x", "\ud800", "ä" * 1000])
def test_what_is_no_ticket_is_not_found(ticket: str) -> None:
    with pytest.raises(NotFound):
        Tickets().use(ticket, 0.0)
