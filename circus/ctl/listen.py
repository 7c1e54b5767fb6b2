"""Print events as they come."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import zmq

from circus import wire
from circus.client import CircusClient
from circus.commands.text import printable
from circus.ctl.catchup import CatchUp
from circus.ctl.connection import TIMEOUT, control_endpoint, reached
from circus.ctl.output import complain, say
from circus.ctl.present import readable
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from circus.reach import Reach

    Context = zmq.Context[zmq.Socket[bytes]]

_ID = "listen"


def listen(
    options: argparse.Namespace,
    topics: Sequence[str] | None = None,
    since: int | None = None,
    instance: str | None = None,
) -> int:
    """Until it is interrupted. `--endpoint` may name the event endpoint or the control endpoint."""
    context: Context = zmq.Context()
    with reached(options) as reach:
        try:
            control = control_endpoint(options, reach)
            found = find_events(context, control, topics or [], reach)
            client = CircusClient(context, control, options.timeout or TIMEOUT, reach=reach)
            ask = client.send_message if found.has_commands else _cannot_ask

            def show(topic: str, text: str) -> None:
                _print(topic, text, as_json=options.json)

            _follow(found.sub, CatchUp(ask, show, complain, topics or [], since, instance))
        except zmq.ZMQError as error:
            raise CallError(f"cannot listen: {error.strerror}") from error
        finally:
            context.destroy(linger=0)


def _cannot_ask(_command: str, **_asked: object) -> dict[str, Any]:
    """Only events are there."""
    raise CallError("no commands are taken there")


def _follow(sub: zmq.Socket[bytes], events: CatchUp) -> NoReturn:
    connections = sub.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    poller = zmq.Poller()
    poller.register(sub, zmq.POLLIN)
    poller.register(connections, zmq.POLLIN)
    events.connected()
    while True:
        ready = dict(poller.poll())
        if connections in ready:
            connections.recv_multipart()
            events.connected()
        if sub in ready:
            frames = sub.recv_multipart()
            events.came(*(frame.decode("utf-8", "replace") for frame in (frames[0], frames[-1])))


class Found(NamedTuple):
    """Where events come from; `has_commands`: and where to ask for those that got lost."""

    sub: zmq.Socket[bytes]
    has_commands: bool


def find_events(context: Context, endpoint: str, topics: Sequence[str], reach: Reach) -> Found:
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
            return Found(direct, has_commands=False)
        direct.close(linger=0)
        # all of them: a topic alone does not show that something is missing
        every = _subscriber(context, _event_endpoint(asking.recv()), [], reach)
        return Found(every, has_commands=True)
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
    with readable():
        return str(answer["options"]["pubsub_endpoint"])


def _print(topic: str, text: str, *, as_json: bool) -> None:
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
