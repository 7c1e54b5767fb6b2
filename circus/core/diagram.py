"""The life of a worker as a table, found by walking the machine from the empty slot.

Run as a module, it writes docs/reference/states.md; a test fails when that file is stale.
"""

from __future__ import annotations

from pathlib import Path

from circus.config.model import WatcherConfig
from circus.core import slot as core
from circus.core.slot import TABLE, Slot, State, step

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "states.md"
CONFIGS = (
    WatcherConfig(name="w", cmd="true", max_retry=2, backoff_reset=1000.0),
    WatcherConfig(name="w", cmd="true", ready_after=5.0),
    WatcherConfig(name="w", cmd="true", respawn=False, max_age=9.0),
)
EVENTS: tuple[core.Event, ...] = (
    core.WantUp(),
    core.WantDown(),
    core.Retry(),
    core.Terminate(),
    core.Spawned(1),
    core.SpawnFailed("reason"),
    core.Refused("reason"),
    core.Refused("reason", later=True),
    core.Refused("reason", pid=1),
    core.Exited("how"),
    core.Exited("how", empty=False),
    core.Emptied(),
    core.DeadlinePassed(),
)


def transitions() -> set[tuple[State, str, State]]:
    """Every (state, event, next state) that can be reached."""
    found: set[tuple[State, str, State]] = set()
    for config in CONFIGS:
        edge = [Slot(1)]
        seen = set()
        while edge:
            slot = edge.pop()
            key = (slot.state, slot.wanted, slot.why, slot.leader_gone, min(slot.failures, 3))
            if key in seen:
                continue
            seen.add(key)
            for event in EVENTS:
                if (slot.state, type(event)) not in TABLE:
                    continue
                after, _ = step(slot, event, config, 10.0)
                if after.state is not slot.state:
                    found.add((slot.state, type(event).__name__, after.state))
                edge.append(after)
    return found


def page() -> str:
    """The text of docs/reference/states.md."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for before, event, after in sorted(transitions()):
        arrows.setdefault((before, after), []).append(event)
    lines = [
        "# What a worker's slot can be doing",
        "",
        "Written by `python -m circus.core.diagram` from the table in `circus/core/slot.py`.",
        "",
        "A slot is empty at first.",
        "",
        "![Eight states and what leads from one to the other](../pictures/states.svg)",
        "",
        "| Event | |",
        "|---|---|",
        *(f"| {event.__name__} | {_first_line(event)} |" for event in core.EVENTS),
        "",
        "| From | To | At |",
        "|---|---|---|",
        *(
            f"| {before} | {after} | {', '.join(events)} |"
            for (before, after), events in arrows.items()
        ),
        "",
    ]
    return "\n".join(lines)


def _first_line(event: type) -> str:
    return (event.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
