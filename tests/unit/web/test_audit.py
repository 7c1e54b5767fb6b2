"""The console's part of the record."""

from __future__ import annotations

import logging

import pytest

from circus.access import Role
from circus.web.audit import ADDRESSES_MAX, DENIALS, TURN, Audit
from circus.web.visitor import Visitor
from tests.unit.web.clock import Clock

ALICE = Visitor("alice", Role.READ, address="192.0.2.1")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "circus.audit")
    return caplog


def test_a_line_says_who_from_where_did_what_and_how_it_went(
    lines: pytest.LogCaptureFixture,
) -> None:
    Audit().changed(ALICE, "stop", "web", outcome="done")
    Audit().denied(Visitor(address="192.0.2.1"), "login", "a b\n\x1b[2Jü=")
    assert lines.messages == [
        "Console who=alice from=192.0.2.1 verb=stop target=web details=- outcome=done",
        'Console who=- from=192.0.2.1 verb=login target="a b\\n\\u001b[2J\\u00fc=" details=- '
        "outcome=denied",
    ]


def test_who_goes_on_and_on_is_counted(lines: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    audit = Audit(clock)
    for _ in range(DENIALS + 30):
        audit.denied(ALICE, "stop")
    audit.denied(Visitor("bob", address="192.0.2.2"), "stop")
    assert len(lines.messages) == DENIALS + 1
    clock.now += TURN
    audit.denied(ALICE, "stop")
    assert lines.messages[-2:] == [
        "Console from=192.0.2.1 outcome=denied suppressed=30",
        "Console who=alice from=192.0.2.1 verb=stop target=- details=- outcome=denied",
    ]


def test_addresses_are_bounded(lines: pytest.LogCaptureFixture) -> None:
    audit = Audit(Clock())
    for number in range(ADDRESSES_MAX + 50):
        audit.denied(Visitor(address=str(number)), "login")
    assert len(lines.messages) == ADDRESSES_MAX + DENIALS
