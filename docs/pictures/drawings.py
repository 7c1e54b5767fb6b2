"""Pictures of how Circus is made: `python -m docs.pictures.drawings`.

The life of a worker is drawn from the table in circus/core/slot.py, the layers from what
import-linter checks; who talks to whom is drawn by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from circus.core.diagram import transitions
from circus.core.slot import State
from docs.pictures import stacks
from docs.pictures.boxes import FAINT, Arrow, Box, label, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).parent
END = "end"
"""Where a life ends, in the picture alone."""
PROJECT = FOLDER.parents[1] / "pyproject.toml"
CLIENT, OURS, OTHERS = "#fff8c5", "#ddf4ff", "#f6f8fa"


def processes() -> str:
    """Who runs, and who talks to whom through what."""
    browser = Box(110, 50, "browser", tint=OTHERS)
    ctl = Box(330, 50, "circusctl", tint=CLIENT)
    top = Box(530, 50, "circus-top", tint=CLIENT)
    program = Box(780, 50, "your program\nCircusClient", 150, tint=OTHERS)
    console = Box(110, 210, "circushttpd", tint=CLIENT)
    circusd = Box(430, 260, "circusd\nholds everything", 190, 70)
    stats = Box(780, 210, "circusd-stats", tint=CLIENT)
    plugin = Box(780, 340, "a plugin\na class of yours", tint=CLIENT)
    systemd = Box(110, 340, "systemd", tint=OTHERS)
    journal = Box(250, 470, "journal and files", 150, tint=OTHERS)
    workers = Box(560, 470, "workers\neach with all that it starts", 220, tint=OTHERS)
    boxes = (
        browser, ctl, top, program, console, circusd, stats, plugin, systemd, journal, workers,
    )  # fmt: skip
    arrows = (
        Arrow(browser, console, "HTTP"),
        Arrow(ctl, circusd, "control", both=True),
        Arrow(top, circusd, "control", both=True, at=0.6),
        Arrow(program, circusd, "control, events", both=True, at=0.45),
        Arrow(console, circusd, "control, events", both=True),
        Arrow(stats, circusd, "control, events", both=True),
        Arrow(stats, top, "stats", at=0.6),
        Arrow(plugin, circusd, "control, events", both=True),
        Arrow(systemd, circusd, "sockets, a cgroup,\nready, watchdog", both=True),
        Arrow(circusd, workers, "start, signals,\nsockets", bend=-30),
        Arrow(workers, circusd, "output, end", bend=-30, at=0.35),
        Arrow(circusd, journal, "log, output"),
        Arrow(circusd, console, "runs", bend=60, dashed=True),
        Arrow(circusd, stats, "runs", bend=-60, dashed=True),
        Arrow(circusd, plugin, "runs", bend=70, dashed=True),
    )
    note = label(
        20, 520, "control, events, stats: ZeroMQ endpoints, Unix sockets or tcp:// with keys",
        size=11, ink=FAINT, middle=False,
    )  # fmt: skip
    about = "The processes of Circus and what they talk through"
    return picture(900, 535, about, [*map(Arrow.drawn, arrows), *map(Box.drawn, boxes), note])


PLACES: Mapping[str, tuple[float, float]] = {
    State.SPAWNING: (330, 110), State.STARTING: (590, 110), State.READY: (840, 110),
    State.EMPTY: (80, 300), State.BACKOFF: (330, 300), END: (590, 300),
    State.STOPPING: (840, 300), State.FAILED: (330, 420), State.DONE: (330, 520),
}  # fmt: skip
AFTER = (State.EMPTY, State.SPAWNING, State.BACKOFF, State.FAILED, State.DONE)
"""What may come when a worker has ended, or could not be started."""
BENDS = {
    (State.SPAWNING, State.READY): -90, (State.SPAWNING, State.STOPPING): -75,
    (State.SPAWNING, END): -12, (END, State.SPAWNING): -40, (END, State.EMPTY): 110,
    (END, State.DONE): -60, (State.FAILED, State.SPAWNING): 165, (State.DONE, State.SPAWNING): 260,
}  # fmt: skip
"""Arrows that would lie upon something else."""


def arrows_of_a_life() -> dict[tuple[str, str], set[str]]:
    """The events that lead from one state to another.

    An event after which it depends on the options and on what happened before leads to `end`
    first.
    """
    found: dict[tuple[str, str], set[str]] = {}
    all_of_them = transitions()
    for before, event, after in all_of_them:
        ways = {to for start, what, to in all_of_them if (start, what) == (before, event)}
        if after in AFTER and len(ways) > 1:
            found.setdefault((before, END), set()).add(event)
            found.setdefault((END, after), set())
        else:
            found.setdefault((before, after), set()).add(event)
    return found


def states() -> str:
    """What a worker's slot can be doing."""
    boxes = {
        name: Box(*place, f"{name}", 100, 34, OURS if name != END else OTHERS)
        for name, place in PLACES.items()
    }
    choice = "what next?\noptions, failures so far"
    boxes[END] = boxes[END]._replace(text=choice, wide=170, high=44)
    arrows = [
        Arrow(boxes[start], boxes[end], "\n".join(sorted(events)), BENDS.get((start, end), 0))
        for (start, end), events in sorted(arrows_of_a_life().items())
    ]
    about = "What a worker's slot can be doing, and what leads from one to the other"
    return picture(930, 560, about, [*map(Arrow.drawn, arrows), *map(Box.drawn, boxes.values())])


def layers() -> str:
    """Which parts of the code there are; each imports those below it only."""
    text = PROJECT.read_text(encoding="utf-8").partition("layers = [")[2].partition("\n]")[0]
    rows = re.findall(r'^ +"([^"]+)",(?: +# (.+))?$', text, re.MULTILINE)
    pure = ("circus.config", "circus.endpoints")
    parts, high = [], 26
    for at, (names, comment) in enumerate(rows):
        y = 26 + at * high
        tint = CLIENT if at < 2 else "#dafbe1" if names.startswith(pure) else OURS
        shown = re.sub(r"circus\.", "", names)
        wide = max(420, len(shown) * 7.4)
        parts.append(Box(20 + wide / 2, y, shown, wide, high - 6, tint).drawn())
        parts.append(label(30 + wide, y + 4, comment, size=11, ink=FAINT, middle=False))
    about = "The layers of the code: each imports only what is below it"
    return picture(1040, 26 + len(rows) * high, about, parts)


DRAWINGS: Mapping[str, Callable[[], str]] = {
    "processes": processes,
    "states": states,
    "layers": layers,
    "stack-classical": stacks.classical,
    "stack-circus": stacks.circus,
}


def file(name: str) -> Path:
    """Where it is."""
    return FOLDER / f"{name}.svg"


def main() -> None:
    """Draw them all."""
    for name, draw in DRAWINGS.items():
        file(name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
