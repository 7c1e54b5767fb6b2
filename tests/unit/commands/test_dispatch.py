"""One message in, one answer out, whatever the message is."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus.access import Peer
from circus.commands import COMMANDS
from circus.commands.answer import dispatch
from circus.exc import CircusError
from circus.stream import Counts, Loss
from tests.unit.commands.fakes import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    loop = asyncio.new_event_loop()
    yield FakeEngine(loop)
    loop.close()


ROOT = Peer(uid=0, gid=0, pid=1, user="root")


def ask(engine: FakeEngine, command: str, /, **properties: object) -> dict[str, Any]:
    """The answer to a message, which must come at once, or as soon as it is taken on."""
    message = {"command": command, "properties": properties, "id": "7"}
    answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
    if isinstance(answer, asyncio.Future):
        for _ in range(3):
            engine.loop.run_until_complete(asyncio.sleep(0))
        answer = answer.result()
    assert isinstance(answer, bytes)
    found: dict[str, Any] = json.loads(answer)
    assert found["id"] == "7"
    return found


def test_without_waiting_the_answer_is_a_bare_ok(engine: FakeEngine) -> None:
    answer = ask(engine, "stop", name="web")
    assert set(answer) == {"status", "time", "id"}
    assert engine.asked == [("match", "web", "glob"), ("stop", ["Web"])]


def test_with_waiting_it_comes_with_the_result(engine: FakeEngine) -> None:
    message = {"command": "start", "properties": {"name": "web", "waiting": True}, "id": 1}
    answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
    assert isinstance(answer, asyncio.Future)
    engine.futures[0].set_result({"info": {"started": [1], "kept": []}})
    found = json.loads(engine.loop.run_until_complete(answer) or b"")
    assert found["status"] == "ok"
    assert found["info"] == {"started": [1], "kept": []}
    assert found["id"] == 1


def test_with_waiting_a_failure_says_why(engine: FakeEngine) -> None:
    message = {"command": "reloadconfig", "properties": {"waiting": True}}
    answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
    assert isinstance(answer, asyncio.Future)
    engine.futures[0].set_exception(CircusError("the file is gone"))
    found = json.loads(engine.loop.run_until_complete(answer) or b"")
    assert (found["status"], found["errno"]) == ("error", 6)
    assert found["reason"] == "the file is gone"


def test_without_waiting_a_later_failure_is_no_surprise(
    engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    ask(engine, "quit")
    engine.futures.pop().set_exception(CircusError("x"))
    engine.loop.run_until_complete(asyncio.sleep(0))
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_cast_has_no_answer(engine: FakeEngine) -> None:
    for command in ("numwatchers", "nonsense", "quit"):
        message = json.dumps({"command": command, "msg_type": "cast"}).encode()
        assert dispatch(engine.as_engine(), message, ROOT) is None
    waiting = b'{"command": "quit", "msg_type": "cast", "properties": {"waiting": true}}'
    answer = dispatch(engine.as_engine(), waiting, ROOT)
    assert isinstance(answer, asyncio.Future)
    engine.futures[-1].set_result({})
    assert engine.loop.run_until_complete(answer) is None


def test_our_own_mistake_is_an_answer_and_a_log_line(
    engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.watchers = None  # type: ignore[assignment]  # that is the mistake
    with caplog.at_level(logging.ERROR):
        answer = ask(engine, "numwatchers")
    assert answer["errno"] == 5
    assert "internal error" in answer["reason"]
    assert "Cannot answer" in caplog.text


def test_an_unknown_command_has_a_suggestion(engine: FakeEngine) -> None:
    answer = ask(engine, "statu")
    assert answer["errno"] == 2
    assert answer["reason"] == "unknown command: 'statu', did you mean 'status'?"


@pytest.mark.parametrize(
    ("command", "properties", "reason"),
    [
        ("incr", {}, "message invalid 'name' is missing"),
        ("incr", {"name": "web", "nb": True}, "'nb' isn't an integer"),
        ("incr", {"name": "web", "nb": 1.5}, "'nb' isn't an integer"),
        ("incr", {"name": "web", "nb": -1}, "'nb' must be between 0 and 10000"),
        ("incr", {"name": "web", "nb": 10**30}, "'nb' must be between 0 and 10000"),
        ("incr", {"name": None}, "'name' isn't a string"),
        ("stop", {"name": None}, "'name' isn't a string"),
        ("stop", {"name": ""}, "'name' is empty"),
        ("stop", {"nam": "x"}, "unknown property 'nam' for stop, did you mean 'name'?"),
        ("status", {"name": "x"}, "program x not found"),
        ("kill", {"name": "x"}, "program x not found"),
        ("kill", {"name": "web", "graceful_timeout": "x"}, "'graceful_timeout' isn't a number"),
        ("kill", {"name": "web", "graceful_timeout": True}, "'graceful_timeout' isn't a number"),
        ("kill", {"name": "web", "graceful_timeout": "nan"}, "between 0 and 1e9"),
        ("kill", {"name": "web", "pid": 0}, "'pid' isn't a process number"),
        ("signal", {"name": "web", "signum": "SIGFOO"}, "signal invalid"),
        ("signal", {"name": "web", "signum": "__class__"}, "signal invalid"),
        ("signal", {"name": "web", "signum": 0}, "signal invalid"),
        ("signal", {"name": "web", "signum": 65}, "signal invalid"),
        ("signal", {"name": "web", "signum": True}, "signal invalid"),
        ("signal", {"name": "web", "signum": "٣"}, "signal invalid"),
        ("signal", {"name": "web", "signum": 9, "childpid": 3}, "childpid without pid"),
        ("get", {"name": "web", "keys": []}, "'keys' is empty"),
        ("get", {"name": "web", "keys": ["nope"]}, "'nope' option not found"),
        ("globaloptions", {"option": "x"}, "'x' not an existing option"),
        ("stats", {"process": 3}, "'name' is missing"),
        ("set", {"name": "web", "options": []}, "'options' isn't a valid object"),
        ("add", {"name": "n", "cmd": "true", "options": {"numproceses": 1}}, "unknown key"),
        ("set", {"name": "web", "options": {"env": "A"}}, "'env' isn't a valid object"),
        ("set", {"name": "web", "options": {"env": '{"A": 1'}}, "Expecting ',' delimiter"),
        ("set", {"name": "web", "options": {"env": '{"A":' * 10_000}}, "recursion depth"),
        ("set", {"name": "web", "options": {"hooks": "a"}}, "isn't a valid hook dict"),
        ("add", {"name": "", "cmd": "x"}, "'name' is empty"),
        ("add", {"name": "a\0", "cmd": "x"}, "NUL"),
        ("add", {"name": "a", "cmd": "x", "args": [1]}, "'args' isn't a string"),
        ("wait", {"names": ["web"], "until": "x"}, "cannot wait for 'x'"),
        ("wait", {"names": []}, "'names' is empty"),
        ("listen", {}, "invalid message. use a pub/sub socket"),
        ("logs", {"name": "web"}, "invalid message"),
        (
            "import",
            {"source": "procfile", "file": "/etc/shadow"},
            "invalid message. 'import' reads files where circusctl runs",
        ),
        ("why", {"name": "web.7"}, "worker 7 not found"),
        ("why", {"name": "nope.1"}, "program nope not found"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    engine: FakeEngine, command: str, properties: dict[str, object], reason: str
) -> None:
    answer = ask(engine, command, **properties)
    assert (answer["status"], answer["errno"]) == ("error", 3)
    assert reason in answer["reason"]
    assert not engine.futures


# What circusctl 0.19.0 was seen to send.
OLD_MESSAGES: list[tuple[str, dict[str, object], tuple[Any, ...]]] = [
    ("stop", {"waiting": False, "match": "glob"}, ("stop", None)),
    ("restart", {"waiting": False, "match": "glob"}, ("restart_daemon",)),
    (
        "reload",
        {"graceful": False, "waiting": False, "sequential": True, "name": "web"},
        ("reload", ["Web"], {"graceful": False, "sequential": True}),
    ),
    ("quit", {"waiting": False}, ("quit",)),
    ("incr", {"name": "web", "nb": 2, "waiting": False}, ("incr", "Web", 2)),
    (
        "signal",
        {"name": "web", "children": True, "recursive": False, "signum": "9", "pid": 12},
        (
            "signal",
            "Web",
            9,
            {"pid": 12, "childpid": None, "children": True, "recursive": False},
        ),
    ),
    (
        "kill",
        {"name": "web", "pid": "12", "signum": "9", "graceful_timeout": "3"},
        ("kill", "Web", 12, 9, 3.0),
    ),
    ("rm", {"name": "web"}, ("remove", "web", False)),
    (
        "set",
        {"name": "web", "options": {"max_retry": -1, "hooks": {"before_start": "a.b"}}},
        ("change", "web", {"max_retry": -1, "hooks": {"before_start": "a.b"}}),
    ),
    ("reloadconfig", {"waiting": False}, ("reload_config", False)),
]


@pytest.mark.parametrize(("command", "properties", "asked"), OLD_MESSAGES)
def test_old_clients_are_understood(
    engine: FakeEngine, command: str, properties: dict[str, object], asked: tuple[Any, ...]
) -> None:
    answer = ask(engine, command, **properties)
    assert answer["status"] == "ok", answer
    assert engine.asked[-1] == asked


def test_queries(engine: FakeEngine) -> None:
    assert ask(engine, "list")["watchers"] == ["one", "web"]
    assert ask(engine, "LIST", name="WEB")["pids"] == [11, 12]
    assert ask(engine, "status")["statuses"] == {"Web": "active", "one": "active"}
    assert ask(engine, "status", name="web")["status"] == "active"
    assert ask(engine, "numwatchers")["numwatchers"] == 2
    assert ask(engine, "numprocesses")["numprocesses"] == 4
    assert ask(engine, "numprocesses", name="web")["watcher_name"] == "web"
    assert ask(engine, "globaloptions", option="check_delay")["options"] == {"check_delay": 5.0}
    assert ask(engine, "options", name="web")["options"]["cmd"] == "sleep 1"
    got = ask(engine, "get", name="web", keys=["numprocesses", "env"])["options"]
    assert list(got.items()) == [("numprocesses", 1), ("env", {"A": "1"})]
    assert ask(engine, "stats")["infos"]["Web"] == {"11": {"pid": 11}}
    assert ask(engine, "stats")["outputs"] == {}
    counts = Counts(9, 5, {"no room": Loss(2, 4)})
    engine.pump.counts = lambda: {("Web", "stdout"): counts, ("one", "stderr"): Counts(1, 1)}
    dropped = {"no room": {"lines": 2, "bytes": 4}}
    output = {"stdout": {"read": 9, "written": 5, "dropped": dropped}}
    assert ask(engine, "stats", name="web")["output"] == output
    assert ask(engine, "stats")["outputs"]["Web"] == output
    assert ask(engine, "stats", name="web", process="11")["info"] == {"pid": 11}
    assert ask(engine, "dstats")["info"] == {"pid": 1}
    assert ask(engine, "is-active", names=["web", "one"])["active"] is True
    assert ask(engine, "why", name="web.1")["watchers"][0]["slots"][0]["pid"] == 11


def test_sockets_are_listed_by_descriptor(engine: FakeEngine) -> None:
    assert ask(engine, "listsockets")["sockets"] == [
        {"fd": 4, "name": "a", "backlog": 2, "host": "::", "port": 80},
        {"fd": 5, "name": "b", "backlog": 3, "path": "/b", "queue": 1},
        {"fd": 6, "name": "c", "backlog": 2, "host": "::", "port": 81, "so_reuseport": True},
    ]


def test_a_singleton_says_so(engine: FakeEngine) -> None:
    for command in ("incr", "decr"):
        answer = ask(engine, command, name="one")
        assert (answer["singleton"], answer["numprocesses"]) == (True, 2)
    assert engine.asked == []


@pytest.mark.parametrize(
    ("options", "env"),
    [
        ({"env": "B=2"}, {"B": "2"}),
        ({"env": "B=x=y,C=1"}, {"B": "x=y", "C": "1"}),
        ({"env": "B=1,2,C=3"}, {"B": "1,2", "C": "3"}),
        ({"env": '{"B": "C=1,D=2"}'}, {"B": "C=1,D=2"}),
        ({"env": {"B": "C=1,D=2"}}, {"B": "C=1,D=2"}),
        ({"env.B": "C=1,D=2"}, {"A": "1", "B": "C=1,D=2"}),
        ({"env.A": "", "env.b": "="}, {"A": "", "b": "="}),
        ({"env": "", "env.B": "2"}, {"B": "2"}),
    ],
)
def test_t43_values_with_equals_and_comma_survive(
    engine: FakeEngine, options: dict[str, object], env: dict[str, str]
) -> None:
    assert ask(engine, "set", name="web", options=options)["status"] == "ok"
    assert engine.asked[-1] == ("change", "web", {"env": env})


def test_waiting_for_several(engine: FakeEngine) -> None:
    message = {"command": "wait", "properties": {"names": ["web", "one"], "timeout": 100}}
    answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
    assert isinstance(answer, asyncio.Future)
    engine.futures[0].set_result(None)
    engine.loop.run_until_complete(asyncio.sleep(0))
    assert not answer.done()
    engine.futures[1].set_result(None)
    found = json.loads(engine.loop.run_until_complete(answer) or b"")
    assert found["statuses"] == {"Web": "active", "one": "active"}


def test_waiting_gives_up_and_leaves_nothing_behind(engine: FakeEngine) -> None:
    message = {
        "command": "wait",
        "properties": {"names": ["web"], "until": "stopped", "timeout": 0},
    }
    answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
    assert isinstance(answer, asyncio.Future)
    found = json.loads(engine.loop.run_until_complete(answer) or b"")
    assert found["reason"] == "not stopped after 0 s: Web is active"
    engine.loop.run_until_complete(asyncio.sleep(0))
    assert engine.futures[0].cancelled()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("web"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PROPERTIES = sorted({row.name for one in COMMANDS for row in one.arguments} | {"waiting", "x"})


@given(
    st.sampled_from([one.verb for one in COMMANDS]),
    st.dictionaries(st.sampled_from(PROPERTIES), VALUES, max_size=4),
    VALUES,
)
def test_every_message_has_one_answer(
    verb: str, properties: dict[str, object], request_id: object
) -> None:
    loop = asyncio.new_event_loop()
    try:
        engine = FakeEngine(loop)
        message = {"command": verb, "properties": properties, "id": request_id}
        answer = dispatch(engine.as_engine(), json.dumps(message).encode(), ROOT)
        if isinstance(answer, asyncio.Future):
            for future in engine.futures:
                future.set_result({})
            answer = loop.run_until_complete(answer)
        assert answer is not None
        found = json.loads(answer)
        assert "internal error" not in found.get("reason", ""), found
        assert found["status"] == "error" or found["id"] == request_id
        for future in engine.futures:
            future.cancel()
    finally:
        loop.close()


@given(st.binary())
def test_any_bytes_have_one_answer(payload: bytes) -> None:
    loop = asyncio.new_event_loop()
    try:
        answer = dispatch(FakeEngine(loop).as_engine(), payload, ROOT)
        assert isinstance(answer, bytes)
        assert json.loads(answer)["status"] == "error"
    finally:
        loop.close()
