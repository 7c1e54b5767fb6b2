"""Where `circusctl listen` gets events from, with real sockets."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq

from circus.ctl.listen import _print, find_events
from circus.exc import CallError
from circus.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    Context = zmq.Context[zmq.Socket[bytes]]


class SlowDaemon:
    """Publishes all the time, and answers when whoever is no DEALER has been refused."""

    def __init__(self, context: Context, folder: Path, answer: object) -> None:
        self.control, self.pubsub = f"ipc://{folder}/control", f"ipc://{folder}/pubsub"
        self._router = context.socket(zmq.ROUTER)
        self._router.bind(self.control)
        self._pub = context.socket(zmq.PUB)
        self._pub.bind(self.pubsub)
        self._answer = answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for sock in (self._router, self._pub):
            sock.close(linger=0)

    def _serve(self) -> None:
        while not self._over.wait(0.002):
            self._pub.send_multipart([b"watcher.w.spawn", b"{}"])
            if self._router.poll(0):
                self._over.wait(0.05)  # meanwhile the other side takes in that it was refused
                identity, question = self._router.recv_multipart()
                message = {**self._said(), "id": json.loads(question)["id"]}
                self._router.send_multipart([identity, json.dumps(message).encode()])

    def _said(self) -> dict[str, object]:
        if self._answer is not None:
            return {"status": "error", "reason": self._answer}
        return {"status": "ok", "options": {"pubsub_endpoint": self.pubsub}}


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


def test_events_are_found_from_either_endpoint(context: Context, folder: Path) -> None:
    daemon = SlowDaemon(context, folder, None)
    try:
        for endpoint in [daemon.control] * 8 + [daemon.pubsub]:
            with find_events(context, endpoint, ["watcher.w."], Reach()).sub as sub:
                assert sub.poll(20_000), endpoint
                assert sub.recv_multipart() == [b"watcher.w.spawn", b"{}"]
    finally:
        daemon.close()


def test_a_daemon_that_does_not_tell(context: Context, folder: Path) -> None:
    daemon = SlowDaemon(context, folder, "not allowed")
    try:
        with pytest.raises(CallError, match="cannot learn where events are: not allowed"):
            find_events(context, daemon.control, [], Reach())
    finally:
        daemon.close()


def test_what_is_no_json_is_passed_on_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ('{"pid": 5}', "pid 5\x1b"):
        _print("mine", text, as_json=True)
        _print("mine", text, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        '{"topic": "mine", "message": {"pid": 5}}',
        'mine: {"pid": 5}',
        '{"topic": "mine", "message": "pid 5\\u001b"}',
        "mine: pid 5\\x1b",
    ]
