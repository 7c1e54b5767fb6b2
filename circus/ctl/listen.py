"""Print events as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.client import find_endpoint
from circus.commands.text import printable
from circus.ctl.connection import connect
from circus.ctl.output import say
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def listen(topics: Sequence[str], options: argparse.Namespace) -> int:
    """Until it is interrupted. `--endpoint` may name the event endpoint or the control endpoint."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    sub = context.socket(zmq.SUB)
    try:
        for topic in topics or [""]:
            sub.subscribe(topic)
        _connect(context, sub, options)
        while True:
            topic_bytes, *rest = sub.recv_multipart()
            _print(topic_bytes, rest[-1] if rest else b"", as_json=options.json)
    except zmq.ZMQError as error:
        raise CallError(f"cannot listen: {error.strerror}") from error
    finally:
        sub.close(linger=0)
        context.destroy(linger=0)


def _connect(
    context: zmq.Context[zmq.Socket[bytes]], sub: zmq.Socket[bytes], options: argparse.Namespace
) -> None:
    """To the event endpoint that the daemon names.

    With circus 0.19 `--endpoint` is the event endpoint itself: so both ends are tried on it, and
    it is a control endpoint when it answers a question.
    """
    if options.endpoint is None:
        client = connect(options)
        try:
            sub.connect(_event_endpoint(client.send_message("globaloptions")))
        finally:
            client.stop()
        return
    endpoint = find_endpoint(options.endpoint)
    sub.connect(endpoint)
    asking = context.socket(zmq.DEALER)
    try:
        asking.connect(endpoint)
        asking.send(wire.with_id(wire.message("globaloptions", {}), "listen"))
        poller = zmq.Poller()
        poller.register(sub, zmq.POLLIN)
        poller.register(asking, zmq.POLLIN)
        if asking in dict(poller.poll(1000)):
            answer = wire.answer(asking.recv(), "listen")
            sub.connect(_event_endpoint(answer or {}))
            sub.disconnect(endpoint)
    finally:
        asking.close(linger=0)


def _event_endpoint(answer: dict[str, Any]) -> str:
    reason = wire.reason(answer)
    if reason is not None:
        raise CallError(f"cannot learn where events are: {reason}")
    return str(answer["options"]["pubsub_endpoint"])


def _print(topic: bytes, message: bytes, *, as_json: bool) -> None:
    name, text = topic.decode("utf-8", "replace"), message.decode("utf-8", "replace")
    if as_json:
        try:
            content = json.loads(text)
        except ValueError:
            content = text
        say(json.dumps({"topic": name, "message": content}))
    else:
        say(f"{printable(name)}: {printable(text)}")
    flush()


def flush() -> None:
    """Others read line by line."""
    import sys

    sys.stdout.flush()
