"""What the configuration grants to whom, and how that is written down."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from circus.access import ANYBODY, Others, Peer, Role, is_owner, operates, others, role_of
from circus.audit import DENIALS, PEERS_MAX, Asked, Audit
from circus.commands.as_caller import as_caller, refuse_code
from circus.config.mapping import watcher_from_mapping
from circus.config.model import CircusConfig
from circus.exc import Denied
from circus.record import plain

ALICE = Peer(1001, 1001, 7, (1001, 50), "alice", ("alice", "staff"))
NAMELESS = Peer(1002, 1002, 8, (1002,))
KEY = Peer(key="laptop", granted=Role.OPERATE)
OWN = 999


@pytest.mark.parametrize(
    ("lists", "role"),
    [
        ({}, None),
        ({"read_users": ("*",)}, Role.READ),
        ({"read_users": ("alice",)}, Role.READ),
        ({"read_groups": ("50",)}, Role.READ),
        ({"read_groups": ("alice", "*")}, Role.READ),
        ({"read_groups": ("*",)}, None),
        ({"operate_users": ("*",)}, None),
        ({"operate_users": ("1001",)}, Role.OPERATE),
        ({"operate_groups": ("staff",), "read_users": ("alice",)}, Role.OPERATE),
        ({"admin_groups": ("staff",), "operate_users": ("alice",)}, Role.ADMIN),
        ({"admin_users": ("ALICE", "staff", "7", "")}, None),
        ({"endpoint_owner": "alice"}, Role.ADMIN),
        ({"endpoint_owner": 1001}, Role.ADMIN),
        ({"endpoint_owner": "staff"}, None),
    ],
)
def test_lists_grant_roles(lists: dict[str, Any], role: Role | None) -> None:
    assert role_of(ALICE, CircusConfig(**lists), OWN) == role
    assert is_owner(ALICE, CircusConfig(**lists)) == (
        role is Role.ADMIN and "endpoint_owner" in lists
    )


def test_some_need_not_be_named() -> None:
    nobody = CircusConfig()
    assert role_of(Peer(0, 0, 1, (0,)), nobody, OWN) is Role.ADMIN
    assert role_of(Peer(OWN, 5, 1, (5,)), nobody, OWN) is Role.ADMIN
    assert role_of(KEY, nobody, OWN) is Role.OPERATE
    assert role_of(ANYBODY, nobody, OWN) is Role.ADMIN
    assert role_of(Peer(key="gone"), CircusConfig(read_users=("*",)), OWN) is None


def test_nobody_is_taken_for_one_without_a_name() -> None:
    config = CircusConfig(admin_users=("", "None"), admin_groups=("",))
    assert role_of(NAMELESS, config, OWN) is None
    assert role_of(KEY, CircusConfig(admin_users=("laptop", "")), OWN) is Role.OPERATE


def test_a_watcher_names_its_operators() -> None:
    watcher = watcher_from_mapping("w", {"cmd": "x", "operate_users": "bob, 1001"})
    assert operates(ALICE, watcher)
    assert not operates(NAMELESS, watcher)
    assert not operates(KEY, watcher)
    circus = CircusConfig(read_users=("*",), admin_groups=("wheel",), endpoint_owner=5)
    assert others(circus, [watcher]) == Others(
        "5", frozenset(["*", "bob", "1001"]), frozenset(["wheel"])
    )


def test_roles_include_the_ones_before() -> None:
    found = [(a, b) for a in Role for b in Role if a.includes(b)]
    read, operate, admin = Role
    assert found == [
        (read, read), (operate, read), (operate, operate),
        (admin, read), (admin, operate), (admin, admin),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        (ALICE, "alice (uid 1001)"),
        (NAMELESS, "uid 1002"),
        (KEY, "the holder of the key 'laptop'"),
        (ANYBODY, "somebody that nobody vouches for"),
    ],
)
def test_who_somebody_is_in_words(peer: Peer, told: str) -> None:
    assert str(peer) == told


CODE: list[dict[str, Any]] = [
    {"hooks.before_start": "os.system"},
    {"hooks": {"before_start": "os.system"}},
    {"hooks": "before_start:os.system"},
    {"stdout_stream.class": "os.system"},
    {"stderr_stream": {"class": "a.b"}},
    {"stderr_stream": "a.b"},
    {"stdout_stream.class": "circus.stream.pump.os.system"},
]
NO_CODE: list[dict[str, Any]] = [
    {"stdout_stream.class": "FileStream"},
    {"stdout_stream": {"class": "circus.stream.FileStream", "filename": "a.b"}},
    {"stdout_stream.filename": "/var/log/a.b"},
    {"cmd": "a.b", "env.hooks": "a.b"},
]


@pytest.mark.parametrize("options", CODE)
def test_nobody_unknown_names_code(options: dict[str, Any]) -> None:
    with pytest.raises(Denied, match=r"names code to import.* use the ipc:// endpoint"):
        refuse_code(ANYBODY, "set", options)
    refuse_code(KEY, "set", options)


@pytest.mark.parametrize("options", NO_CODE)
def test_what_names_no_code(options: dict[str, Any]) -> None:
    refuse_code(ANYBODY, "set", options)


def test_a_key_runs_nothing_as_itself() -> None:
    with pytest.raises(Denied, match="a key is no user to run as"):
        as_caller(KEY, {})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("web", "web"),
        ("", "-"),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b', '"a\\"b"'),
        ("a\nRequest who=root", '"a\\nRequest who=root"'),
        ("\x1b[2J", '"\\u001b[2J"'),
        ("ü", '"\\u00fc"'),
        ("x" * 200, "x" * 100 + "..."),
    ],
)
def test_values_in_the_record_stay_in_their_place(text: str, written: str) -> None:
    assert plain(text) == written


def test_denials_are_counted_for_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "circus.audit")
    loop = asyncio.new_event_loop()
    audit = Audit(loop)
    for _ in range(DENIALS + 5):
        audit.denied(Asked(ALICE, "stop", "web"))
    audit.denied(Asked(KEY, "quit"))
    audit.sum_up()
    audit.sum_up()
    audit.changed(Asked(KEY, "set", "web", "cmd"), "begun")
    loop.close()
    lines = caplog.messages
    assert len(lines) == DENIALS + 3
    assert lines[0] == (
        "Request who=alice uid=1001 gid=1001 pid=7 verb=stop target=web details=- outcome=denied"
    )
    assert lines[-3].startswith("Request who=key:laptop uid=- gid=- pid=- verb=quit target=-")
    assert lines[-2] == "Request who=alice uid=1001 outcome=denied suppressed=5"
    assert lines[-1].endswith("verb=set target=web details=cmd outcome=begun")


def test_denials_of_very_many_are_counted_together(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    audit = Audit(loop)
    for uid in range(PEERS_MAX + DENIALS + 7):
        audit.denied(Asked(Peer(uid, uid, 1, (uid,)), "stop", "web"))
    audit.sum_up()
    loop.close()
    assert len(caplog.messages) == PEERS_MAX + DENIALS + 1
    assert caplog.messages[-1] == "Request who=others uid=- outcome=denied suppressed=7"
