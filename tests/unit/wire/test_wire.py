"""The envelope: what is read, what is refused and in which words, what is written."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus import wire
from circus.exc import AlreadyExist, CircusError, InvalidJSON, MessageError, NotFound

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def request(**fields: object) -> wire.Request:
    return wire.request(wire.decode(json.dumps(fields).encode()))


def test_a_request_is_read() -> None:
    found = request(command="incr", properties={"name": "web", "waiting": True}, id="7")
    assert found == wire.Request("incr", {"name": "web"}, "7", waiting=True, cast=False)


@pytest.mark.parametrize("properties", [{}, None])
def test_properties_may_be_null_or_missing(properties: object) -> None:
    assert request(command="list", properties=properties).properties == {}
    assert request(command="list").properties == {}


def test_waiting_is_found_in_both_places() -> None:
    assert request(command="quit", waiting=True).waiting
    assert request(command="quit", properties={"waiting": True}).waiting
    assert not request(command="quit", properties={"waiting": False}, waiting=True).waiting


def test_commands_are_the_same_in_upper_and_lower_case() -> None:
    assert request(command="ReloadConfig").command == "reloadconfig"


def test_child_pid_is_another_name_for_childpid() -> None:
    assert request(command="signal", properties={"child_pid": 3}).properties == {"childpid": 3}


@pytest.mark.parametrize("keys", ["endpoint", ["endpoint"]])
def test_globaloptions_takes_the_property_that_its_old_documentation_names(keys: object) -> None:
    found = request(command="globaloptions", properties={"keys": keys})
    assert found.properties == {"option": "endpoint"}


@pytest.mark.parametrize("keys", [[], ["endpoint", "statsd"], 3, None])
def test_more_or_fewer_than_one_of_them_ask_for_all(keys: object) -> None:
    assert request(command="globaloptions", properties={"keys": keys}).properties == {}


def test_a_cast_is_a_top_level_field() -> None:
    assert request(command="quit", msg_type="cast").cast


@pytest.mark.parametrize(
    ("payload", "error", "words"),
    [
        (b"", InvalidJSON, "json invalid"),
        (b" \n", InvalidJSON, "json invalid"),
        (b"{", InvalidJSON, "json invalid"),
        (b"\xff\xfe", InvalidJSON, "not UTF-8 at byte 0"),
        (b'{"a": NaN}', InvalidJSON, "NaN is not a number"),
        (b'{"a": -Infinity}', InvalidJSON, "-Infinity is not a number"),
        (b'{"a": 1e999}', InvalidJSON, "too big"),
        (b"1" * 5000, InvalidJSON, "json invalid"),
        (b"[" * 100_000, InvalidJSON, "nested too deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, MessageError, "nested deeper than 32 levels"),
        (b"[]", MessageError, "not an object"),
        (b"null", MessageError, "not an object"),
        (b'{"command": "\\ud800"}', MessageError, "half a character"),
        (b'{"\\udfff": 1}', MessageError, "half a character"),
        (b'"' + b"x" * wire.LIMIT_BYTES + b'"', MessageError, "the limit is 1048576"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    payload: bytes, error: type[CircusError], words: str
) -> None:
    with pytest.raises(error, match=words):
        wire.decode(payload)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "'command' is missing"),
        ({"command": None}, "'command' is missing"),
        ({"command": 1}, "'command' isn't a string"),
        ({"command": "list", "properties": []}, "'properties' isn't an object"),
        ({"command": "list", "properties": "x"}, "'properties' isn't an object"),
        ({"command": "list", "waiting": "yes"}, "'waiting' isn't a valid boolean"),
    ],
)
def test_a_wrong_shape_is_refused_in_words(fields: dict[str, object], words: str) -> None:
    with pytest.raises(MessageError, match=words):
        request(**fields)


@given(st.binary())
def test_no_bytes_do_more_harm_than_a_refusal(payload: bytes) -> None:
    with contextlib.suppress(CircusError):
        wire.request(wire.decode(payload))


@given(JSON, JSON)
def test_what_is_read_can_be_written_back(request_id: object, properties: object) -> None:
    payload = json.dumps({"command": "x", "id": request_id, "properties": properties}).encode()
    try:
        message = wire.decode(payload)
    except CircusError:
        return
    answer = json.loads(wire.success({}, message["id"], 1.0))
    assert answer == {"status": "ok", "time": 1.0, "id": request_id}


def test_an_answer_may_overwrite_its_status() -> None:
    assert json.loads(wire.success({"status": "active"}, None, 1.5)) == {
        "status": "active",
        "time": 1.5,
        "id": None,
    }


@pytest.mark.parametrize(
    ("error", "errno"),
    [
        (InvalidJSON("x"), 1),
        (MessageError("x"), 3),
        (NotFound("x"), 3),
        (PermissionError(1, "x"), 4),
        (AlreadyExist("x"), 5),
        (CircusError("x"), 6),
    ],
)
def test_a_failure_has_the_number_that_old_clients_know(error: Exception, errno: int) -> None:
    answer = json.loads(wire.failure(error, "7", 1.0))
    assert answer["status"] == "error"
    assert answer["errno"] == errno
    assert answer["id"] == "7"
    assert answer["tb"] is None
    assert "x" in answer["reason"]
    assert wire.reason(answer) == answer["reason"]


def test_a_state_called_error_is_not_an_error() -> None:
    assert wire.reason({"status": "active"}) is None


def test_an_answer_for_somebody_else_is_passed_over() -> None:
    ours = wire.success({}, "a", 1.0)
    assert wire.answer(ours, "a") is not None
    assert wire.answer(ours, "b") is None
    assert wire.answer(wire.failure(InvalidJSON("x"), None, 1.0), "b") is not None
    assert wire.answer(wire.success({}, None, 1.0), "b") is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff"])
def test_an_answer_that_is_none_is_an_error(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 json's own words vary
        wire.answer(payload, "a")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("""command b'{"command": "add"}': 'web' already exist""", "'web' already exist"),
        (r"""command b'{"name": "it\'s: "}': no""", "no"),
        ("command 'x': no", "command 'x': no"),
    ],
)
def test_the_request_that_circus_0_19_puts_before_a_reason_is_left_out(
    told: str, reason: str
) -> None:
    assert wire.reason({"status": "error", "reason": told}) == reason


def test_a_daemon_that_is_busy_is_told_from_one_that_refuses() -> None:
    def busy(reason: str, status: str = "error") -> bool:
        return wire.busy({"status": status, "reason": reason})

    assert busy("arbiter is already running watcher_stop command")
    assert busy("arbiter is restarting...")
    assert not busy("program arbiter is already running x not found")
    assert not busy("arbiter is restarting...", status="ok")
