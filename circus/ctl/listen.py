"""Print events as they come."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.commands.text import printable
from circus.ctl.connection import control_endpoint, reached
from circus.ctl.output import say
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from circus.reach import Reach

    Context = zmq.Context[zmq.Socket[bytes]]

_ID = "listen"


def listen(topics: Sequence[str], options: argparse.Namespace) -> int:
    """Until it is interrupted. `--endpoint` may name the event endpoint or the control endpoint."""
    context: Context = zmq.Context()
    with reached(options) as reach:
        try:
            sub = find_events(context, control_endpoint(options, reach), topics, reach)
            while True:
                _print(sub.recv_multipart(), as_json=options.json)
        except zmq.ZMQError as error:
            raise CallError(f"cannot listen: {error.strerror}") from error
        finally:
            context.destroy(linger=0)


def find_events(
    context: Context, endpoint: str, topics: Sequence[str], reach: Reach
) -> zmq.Socket[bytes]:
    """A socket that receives events, once it is known where they are.

    With circus 0.19 the endpoint that is named is the one of events. So it is listened to, and at
    the same time asked where events are: only a control endpoint answers. Each is tried with a
    socket of its own: when ZeroMQ disconnects from an endpoint that has refused a socket, it may
    take down another connection of that socket instead.
    """
    way = reach.way(endpoint)
    direct = _subscriber(context, endpoint, topics, reach)
    asking = context.socket(zmq.DEALER)
    reach.secure(asking, endpoint)
    asking.connect(way)
    asking.send(wire.with_id(wire.message("globaloptions", {}), _ID))
    poller = zmq.Poller()
    poller.register(direct, zmq.POLLIN)
    poller.register(asking, zmq.POLLIN)
    answered = asking in dict(poller.poll())
    try:
        if not answered:
            return direct
        direct.close(linger=0)
        return _subscriber(context, _event_endpoint(asking.recv()), topics, reach)
    finally:
        asking.close(linger=0)


def _subscriber(
    context: Context, endpoint: str, topics: Sequence[str], reach: Reach
) -> zmq.Socket[bytes]:
    sub = context.socket(zmq.SUB)
    reach.secure(sub, endpoint)
    for topic in topics or [""]:
        sub.subscribe(topic)
    sub.connect(reach.way(endpoint))
    return sub


def _event_endpoint(payload: bytes) -> str:
    try:
        answer: dict[str, Any] = wire.answer(payload, _ID) or {}
    except ValueError as error:
        raise CallError(f"cannot read the answer: {error}") from error
    reason = wire.reason(answer)
    if reason is not None or "options" not in answer:
        raise CallError(f"cannot learn where events are: {reason or 'no answer to the question'}")
    return str(answer["options"]["pubsub_endpoint"])


def _print(frames: list[bytes], *, as_json: bool) -> None:
    topic, text = (frame.decode("utf-8", "replace") for frame in (frames[0], frames[-1]))
    if as_json:
        say(json.dumps({"topic": topic, "message": _content(text)}))
    else:
        say(f"{printable(topic)}: {printable(text)}")
    sys.stdout.flush()  # others read line by line


def _content(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
