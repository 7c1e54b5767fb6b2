"""What is told of a slot that a hook holds back, or has turned away."""

from __future__ import annotations

import pytest

from circus.config.mapping import watcher_from_mapping
from circus.core.slot import Slot, State, Why
from circus.report import slot_report

CONFIG = watcher_from_mapping("w", {"cmd": "sleep 1"})


@pytest.mark.parametrize(
    ("slot", "hook", "told"),
    [
        (Slot(1, State.SPAWNING), "", "its program is being executed"),
        (Slot(1, State.SPAWNING), "waits for before_spawn", "waits for before_spawn"),
        (Slot(1, State.STARTING, deadline=4.5), "", "counts as ready in 2.5 s"),
        (Slot(1, State.FAILED, why=Why.REFUSED), "", "nothing until it is started again"),
        (
            Slot(1, State.FAILED, failures=5),
            "",
            "nothing until it is started again (max_retry reached)",
        ),
        (Slot(1, State.BACKOFF, deadline=4.5, why=Why.PUT_OFF), "", "started again in 2.5 s"),
        (Slot(1, State.BACKOFF, deadline=2.0, failures=1), "", "next try at once (failure 1 of 5)"),
        (Slot(1, State.BACKOFF, deadline=4, failures=2), "", "next try in 2.0 s (failure 2 of 5)"),
    ],
)
def test_what_comes_next(slot: Slot, hook: str, told: str) -> None:
    assert slot_report(slot, CONFIG, 2.0, hook)["next"] == told
