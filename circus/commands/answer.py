"""One message in, one answer out."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from circus import wire
from circus.audit import Asked
from circus.commands import find
from circus.commands.admission import admit, look_over
from circus.exc import CircusError, Denied

if TYPE_CHECKING:
    from asyncio import Future

    from circus.access import Peer
    from circus.audit import Audit
    from circus.commands.command import Command, Reply
    from circus.engine import Engine
    from circus.threads import Outcome
    from circus.wire import Request

logger = logging.getLogger(__name__)


def dispatch(engine: Engine, payload: bytes, peer: Peer) -> bytes | Future[bytes | None] | None:
    """Carry out a message of `peer`. None: no answer is wanted. Never raises, never blocks."""
    request_id: object = None
    silent = False
    try:
        message = wire.decode(payload)
        request_id, silent = message.get("id"), wire.is_cast(message)
        answer = _carry_out(engine, wire.request(message), peer)
        if not isinstance(answer, dict):
            return answer
        return None if silent else wire.success(answer, request_id, time.time())
    except (CircusError, OSError) as error:
        return None if silent else wire.failure(error, request_id, time.time())
    except Exception as error:  # our own mistake, and the daemon goes on
        logger.exception("Cannot answer %.200r", payload)
        return None if silent else wire.failure(error, request_id, time.time())


def _carry_out(engine: Engine, request: Request, peer: Peer) -> Reply | Future[bytes | None]:
    record = Record(engine.audit, Asked(peer, request.command))
    try:
        role = look_over(engine, peer, request.command)
        command = find(request.command).from_properties(request.properties)
        record.take(command)
        command = admit(engine, peer, role, command)
        result = command.run(engine)
    except (CircusError, OSError) as error:
        record.refused(error)
        raise
    if isinstance(result, dict):
        record.write("done")
        return command.shown_to(role, result)
    if command.checked:
        result.add_done_callback(record.looked_into)
    else:
        record.write("begun")
    if request.waiting or command.patient or command.checked:
        answer = _when_done(engine, result, request)
        if command.patient:
            _end_together(answer, result)
        return answer
    result.add_done_callback(_retrieve)
    return {}


class Record:
    """The line about one request that changes something, or is denied; written once."""

    def __init__(self, audit: Audit, asked: Asked) -> None:
        self._audit = audit
        self._asked = asked
        self._changes = False

    def take(self, command: Command) -> None:
        """What is asked for is known by now."""
        self._changes = command.changes
        self._asked = Asked(self._asked.peer, command.verb, command.target(), command.details())

    def write(self, outcome: str) -> None:
        """How it went."""
        if self._changes:
            self._audit.changed(self._asked, outcome)

    def refused(self, error: BaseException) -> None:
        """It was not begun."""
        if isinstance(error, Denied):
            self._audit.denied(self._asked)
        else:
            self.write("refused")

    def looked_into(self, future: Any) -> None:  # of either kind
        """It was refused after a closer look, or has begun."""
        if future.cancelled() or future.exception() is not None:
            self.write("refused")
        else:
            self.write("begun")


def _when_done(
    engine: Engine, result: Outcome[Any] | Future[Any], request: Request
) -> Future[bytes | None]:
    answer: Future[bytes | None] = engine.loop.create_future()

    def settle(outcome: bytes) -> None:
        answer.set_result(None if request.cast else outcome)

    def done(future: Any) -> None:  # of either kind
        if answer.done():  # given up
            _retrieve(future)
            return
        now = time.time()
        if future.cancelled():
            settle(wire.failure(CircusError("given up: circusd ends"), request.id, now))
        elif (error := future.exception()) is not None:
            settle(wire.failure(error, request.id, now))
        elif (accepted := future.result()) is None or isinstance(accepted, dict):
            settle(wire.success(accepted or {}, request.id, now))
        elif request.waiting:
            accepted.add_done_callback(done)
        else:
            accepted.add_done_callback(_retrieve)
            settle(wire.success({}, request.id, now))

    result.add_done_callback(done)
    return answer


def _end_together(answer: Future[Any], result: Outcome[Any] | Future[Any]) -> None:
    """It does nothing but wait: without an answer there is nothing to wait for."""
    answer.add_done_callback(lambda _: result.cancel())


def _retrieve(future: Any) -> None:
    """Nobody waits for it; the engine has logged how it went."""
    if not future.cancelled():
        future.exception()
