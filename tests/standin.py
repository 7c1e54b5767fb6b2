"""Somebody who listens where a circusd would, and answers as none does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import zmq

if TYPE_CHECKING:
    from pathlib import Path

Answer = Callable[[dict[str, Any]], bytes | None]
"""What is said to a question; None: nothing."""


def saying(**answer: Any) -> Answer:
    """The same to every question."""
    return lambda asked: json.dumps({**answer, "id": asked["id"]}).encode()


class Standin:
    """It listens at a path from the beginning, and until the end of the block."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self.endpoint = f"ipc://{path}"
        self.asked = 0
        self._answer = answer
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.bind(self.endpoint)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                *way, question = self._socket.recv_multipart()
            except zmq.ContextTerminated:  # it is over
                self._socket.close(linger=0)
                return
            self.asked += 1
            said = self._answer(json.loads(question))
            if said is not None:
                self._socket.send_multipart([*way, said])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.term()
        self._thread.join()
