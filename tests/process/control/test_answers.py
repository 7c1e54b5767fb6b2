"""What circusctl and circus-top say to answers that no circusd of today gives, and to none."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from circus.circusctl import main
from circus.top.program import main as top
from tests.standin import Standin, saying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.standin import Answer

    Said = Answer | dict[str, Any]

DENIED = {"status": "error", "reason": "denied"}
STATUS = {"status": "ok", "statuses": {"web": "active"}}


def silent(_: object) -> None:
    """Say nothing."""


def nonsense(_: object) -> bytes:
    """Say what is no JSON."""
    return b"{nonsense"


@pytest.fixture
def answering(folder: Path) -> Iterator[Callable[[Said], str]]:
    """Starts somebody who answers so, and returns where."""
    with contextlib.ExitStack() as ended:

        def start(said: Said) -> str:
            answer = saying(**said) if isinstance(said, dict) else said
            return ended.enter_context(Standin(folder / "control", answer)).endpoint

        yield start


CASES: list[tuple[Said, str, str, int]] = [
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
    (nonsense, "listen", "cannot read the answer: ", 1),
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
    (silent, "--timeout 0.2 status --color always", "Timed out.\nA time out usually", 1),
    (silent, "--timeout 0.2 stop web db", "web: Timed out.\ndb: Timed out.\n", 1),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "line", "said", "status"), CASES)
def test_it_is_told(
    answering: Callable[[Said], str],
    capsys: pytest.CaptureFixture[str],
    answer: Said,
    line: str,
    said: str,
    status: int,
) -> None:
    assert main(["--endpoint", answering(answer), *line.split()]) == status
    out, err = capsys.readouterr()
    assert (out, err[: len(said)]) == ("", said)
    assert not said.endswith("\n") or err == said


def test_as_json_each_that_was_not_answered_is_an_error(
    answering: Callable[[Said], str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--endpoint", answering(silent), "--timeout", "0.2", "--json", "stop", "web", "db"]
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
        (nonsense, "cannot read the answer: "),
    ],
    ids=["denied", "empty", "nonsense"],
)
def test_top_has_no_table_of_it(
    answering: Callable[[Said], str],
    capsys: pytest.CaptureFixture[str],
    answer: Said,
    said: str,
) -> None:
    assert top(["--once", "--control", answering(answer)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"circus-top: {said}")
