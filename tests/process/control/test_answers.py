"""What circusctl and circus-top say to answers that no circusd of today gives, and to none."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus.circusctl import main
from circus.top.program import main as top

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SILENT = object()
NOT_JSON = object()
DENIED = {"status": "error", "reason": "denied"}
STATUS = {"status": "ok", "statuses": {"web": "active"}}


class Answering:
    """Listens as circusd does, and gives each question the answer that it is made with."""

    def __init__(self, folder: Path, answer: object) -> None:
        self.endpoint = f"ipc://{folder}/control"
        self._answer = answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _serve(self) -> None:
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.linger = 0
            router.bind(self.endpoint)
            self._ready.set()
            while not self._over.is_set():
                if router.poll(5):
                    identity, question = router.recv_multipart()
                    if self._answer is not SILENT:
                        router.send_multipart([identity, self._said(json.loads(question)["id"])])

    def _said(self, number: object) -> bytes:
        if isinstance(self._answer, dict):
            return json.dumps({**self._answer, "id": number}).encode()
        return b"{nonsense"


@pytest.fixture
def answering(folder: Path) -> Iterator[Callable[[object], str]]:
    """Starts one, and returns where it listens."""
    started: list[Answering] = []

    def start(answer: object) -> str:
        started.append(Answering(folder, answer))
        return started[-1].endpoint

    yield start
    for one in started:
        one.close()


CASES: list[tuple[object, str, str, int]] = [
    (DENIED, "status --color always", "error: denied\n", 3),
    (DENIED, "stop w* x", "cannot learn which watchers there are: denied\n", 1),
    ({"status": "ok"}, "stop w* x", "cannot learn which watchers there are: no such answer\n", 1),
    ({"status": "ok"}, "status --color always",
     "cannot read the answer: KeyError: 'statuses'\n", 1),
    ({"status": "ok"}, "list", "cannot read the answer: KeyError: 'watchers'\n", 1),
    ({"status": "ok", "options": 1}, "options w",
     "cannot read the answer: AttributeError: 'int' object has no attribute 'items'\n", 1),
    (STATUS, "status none x* --color always", "none: error: program none not found\n"
                                              "x*: error: program x* not found\n", 3),
    (NOT_JSON, "listen", "cannot read the answer: ", 1),
    (DENIED, "listen", "cannot learn where events are: denied\n", 1),
    ({"status": "ok"}, "listen",
     "cannot learn where events are: no answer to the question\n", 1),
    ({"status": "ok", "options": {"pubsub_endpoint": "nonsense"}}, "listen",
     "cannot listen: Invalid argument (addr='nonsense')\n", 1),
    ({"status": "ok", "options": {}}, "listen",
     "cannot read the answer: KeyError: 'pubsub_endpoint'\n", 1),
    ({"status": "ok"}, "logs w", "cannot read the answer: KeyError: 'options'\n", 1),
    ({"status": "ok", "options": {}}, "logs w",
     "cannot read the answer: KeyError: 'statuses'\n", 1),
    (SILENT, "--timeout 0.2 status --color always", "Timed out.\nA time out usually", 1),
    (SILENT, "--timeout 0.2 stop web db", "web: Timed out.\ndb: Timed out.\n", 1),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "line", "said", "status"), CASES)
def test_it_is_told(
    answering: Callable[[object], str],
    capsys: pytest.CaptureFixture[str],
    answer: object,
    line: str,
    said: str,
    status: int,
) -> None:
    assert main(["--endpoint", answering(answer), *line.split()]) == status
    out, err = capsys.readouterr()
    assert (out, err[: len(said)]) == ("", said)
    assert not said.endswith("\n") or err == said


def test_as_json_each_that_was_not_answered_is_an_error(
    answering: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--endpoint", answering(SILENT), "--timeout", "0.2", "--json", "stop", "web", "db"]
    assert main(words) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [*found] == ["web", "db"]
    for answer in found.values():
        assert answer["status"] == "error"
        assert answer["reason"].startswith("Timed out.")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (DENIED, "denied"),
        ({"status": "ok"}, "what answers is no circusd: KeyError: 'options'"),
        (NOT_JSON, "cannot read the answer: "),
    ],
    ids=["denied", "empty", "nonsense"],
)
def test_top_has_no_table_of_it(
    answering: Callable[[object], str],
    capsys: pytest.CaptureFixture[str],
    answer: object,
    said: str,
) -> None:
    assert top(["--once", "--control", answering(answer)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"circus-top: {said}")
