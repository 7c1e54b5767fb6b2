"""One message in, one answer out."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from circus import wire
from circus.commands import find
from circus.exc import CircusError

if TYPE_CHECKING:
    from asyncio import Future

    from circus.engine import Engine
    from circus.threads import Outcome
    from circus.wire import Request

logger = logging.getLogger(__name__)


def dispatch(engine: Engine, payload: bytes) -> bytes | Future[bytes | None] | None:
    """Carry out a message. None: no answer is wanted. Never raises, never blocks."""
    request_id: object = None
    silent = False
    try:
        message = wire.decode(payload)
        request_id, silent = message.get("id"), wire.is_cast(message)
        request = wire.request(message)
        command = find(request.command).from_properties(request.properties)
        result = command.run(engine)
        if not isinstance(result, dict):
            if request.waiting or command.patient or command.checked:
                answer = _when_done(engine, result, request)
                if command.patient:
                    _end_together(answer, result)
                return answer
            result.add_done_callback(_retrieve)
            result = {}
        return None if silent else wire.success(result, request_id, time.time())
    except (CircusError, OSError) as error:
        return None if silent else wire.failure(error, request_id, time.time())
    except Exception as error:  # our own mistake, and the daemon goes on
        logger.exception("Cannot answer %.200r", payload)
        return None if silent else wire.failure(error, request_id, time.time())


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
