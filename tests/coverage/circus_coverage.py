"""What every Python process of a measured run begins with, wherever and as whoever it runs.

It lies in site-packages beside coverage.py, with a `.pth` file that imports it: circusd gives its
workers an environment of their own, so no variable would reach those of them that are ours.
"""

import atexit
import contextlib
from pathlib import Path

import coverage  # type: ignore[import-not-found, unused-ignore]  # there in a measured run alone


def end() -> None:
    """Write down what was counted; whoever may not is no reason for words at the end."""
    with contextlib.suppress(Exception):
        counting.stop()
        counting.save()


def folder() -> str:
    """Where to write: measure.py has put a file there that is called so."""
    return next(one for one in ("/media", "/dev/shm") if Path(one, "count-here").exists())


counting = coverage.Coverage(
    config_file=str(Path(__file__).with_name("coverage.ini")),
    data_file=f"{folder()}/counted",
    data_suffix=True,
)
counting.start()
atexit.register(end)
