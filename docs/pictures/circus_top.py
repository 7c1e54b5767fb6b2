"""Pictures of circus-top beside a real circusd: `python -m docs.pictures.circus_top`.

It takes tmux. Pids and loads are other ones each time, the rest is not.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from docs.pictures.svg import picture
from tests.support import Daemon, wait_until
from tests.tmux import Screen

FOLDER = Path(__file__).parent
BUSY = """\
import sys, time
held = bytearray(int(sys.argv[2]) << 20)
while True:
    sum(range(int(sys.argv[1])))
    time.sleep(0.02)
"""
CONFIG = """
[circus]
statsd = True
[watcher:web]
cmd = PROGRAMS/gunicorn PROGRAMS/busy 90000 30
numprocesses = 2
[watcher:mailer]
cmd = PROGRAMS/mailer PROGRAMS/busy 1000 5
[watcher:queue]
cmd = PROGRAMS/celery PROGRAMS/busy 30000 60
numprocesses = 3
[watcher:report]
cmd = sh -c "exit 3"
backoff_delay = 600
backoff_max = 600
[socket:http]
host = 127.0.0.1
port = 0
"""
PROGRAMS = ("gunicorn", "mailer", "celery")
"""What Python is called there: it does what is above."""
HISTORY = "▁▂▃▄▅▆▇█"


class Picture(NamedTuple):
    """`keys` are typed one after the other; then all of `shows` has to be there."""

    name: str
    about: str
    keys: tuple[str, ...]
    shows: tuple[str, ...]
    columns: int = 100
    lines: int = 28
    before: str = ""


PICTURES = (
    Picture(
        "overview", "circus-top with the details of a worker that fails",
        ("/", "report.1", "Enter", "i"), ("report.1", "exited with code 3", "q End"),
    ),
    Picture("help", "the help of circus-top", ("?",), ("Any key goes back",), lines=24),
    Picture(
        "signal", "circus-top asks for a signal, with a filter",
        ("F4", "web", "Enter", "Down", "F9", "HUP"), ("Signal for web.1", "HUP_"), lines=14,
    ),
    Picture(
        "narrow", "circus-top without colours in 60 columns", (), ("report", "q End"),
        columns=60, lines=20, before="NO_COLOR=1 ",
    ),
)  # fmt: skip


def file(one: Picture) -> Path:
    """Where it is."""
    return FOLDER / f"circus-top-{one.name}.svg"


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "busy").write_text(BUSY, encoding="utf-8")
        for name in PROGRAMS:
            Path(folder, name).symlink_to(sys.executable)
        daemon = Daemon(CONFIG.replace("PROGRAMS", folder))
        try:
            daemon.wait()
            for one in PICTURES:
                file(one).write_text(taken(one, daemon), encoding="utf-8")
        finally:
            daemon.stop()


def taken(one: Picture, daemon: Daemon) -> str:
    """Type, wait until everything is there, and draw it."""
    command = f"{one.before}{sys.executable} -m circus.top --control {daemon.endpoint}"
    with Screen("sh", "-c", command, width=one.columns, height=one.lines) as screen:
        # the loads come with the second sample
        screen.shows("queue.1", "q End")
        wait_until(lambda: re.search(r"queue[.]1 .* [1-9]\d*[.]\d ", screen.text()))
        for key in one.keys:
            screen.type(key)
        screen.shows(*one.shows)
        if "i" in one.keys:
            wait_until(lambda: sum(screen.text().count(bar) for bar in HISTORY) > 30)
        return picture(screen.raw(), one.columns, one.lines, one.about)


if __name__ == "__main__":
    main()
