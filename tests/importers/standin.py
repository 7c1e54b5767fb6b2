"""Stands in for every program of a source: tells what it found, and which signal ended it.

Copied to where the source has its programs, with TOLD replaced by a folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import stat
import sys

TOLD = "TOLD"
STEPS = ("check", "migrate", "-t")
"""Arguments with which it ends at once."""


def facts() -> dict[str, object]:
    """What a program can find out of what was done for it."""
    mask = os.umask(0)
    os.umask(mask)
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    descriptors: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            descriptors[name] = os.readlink(f"/proc/self/fd/{name}")
    return {
        "argv": sys.argv,
        "cwd": os.getcwd(),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": os.getgroups(),
        "env": dict(os.environ),
        "umask": f"{mask:03o}",
        "nice": os.nice(0),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
        "no_new_privileges": status.get("NoNewPrivs", "").strip() == "1",
        "listens": stat.S_ISSOCK(os.fstat(0).st_mode),
        "descriptors": descriptors,
    }


def end(number: int, _frame: object) -> None:
    """Tell which signal it was."""
    with open(f"{TOLD}/{os.getpid()}.signal", "w", encoding="ascii") as file:
        file.write(signal.Signals(number).name)
    sys.exit(0)


def main() -> None:
    """Tell everything, then wait."""
    if any(step in sys.argv for step in STEPS):
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, end)
    draft = f"{TOLD}/.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(facts(), file)
    os.write(1, b"this is output\n")
    os.write(2, b"this is an error\n")
    os.rename(draft, f"{TOLD}/{os.getpid()}.json")
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
