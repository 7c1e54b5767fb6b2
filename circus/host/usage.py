"""CPU, memory and so on of a process, read when somebody asks."""

from __future__ import annotations

import os
import pwd
import time
from functools import lru_cache
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
GONE = "No such process (stopped?)"


@lru_cache(maxsize=1)
def _total_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * PAGE


@lru_cache(maxsize=256)
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def usage(pid: int, previous: tuple[float, float] | None = None) -> dict[str, Any] | None:
    """What `stats` tells of one process, or None when it is gone.

    `previous` is (CPU seconds, monotonic seconds) of an earlier look: the CPU share is that since
    then, without it that of the whole life. Costs about 40 µs.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    fields = text[text.rfind(b")") + 2 :].split()
    busy = (int(fields[11]) + int(fields[12])) / TICKS
    age = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / TICKS)
    resident, virtual = int(fields[21]) * PAGE, int(fields[20])
    return {
        "mem_info1": human(resident),
        "mem_info2": human(virtual),
        "cpu": share(busy, age, previous),
        "mem": round(100 * resident / _total_memory(), 3),
        "ctime": f"{int(busy // 60)}:{busy % 60:05.2f}",
        "pid": pid,
        "username": _user_name(owner),
        "nice": "Zombie" if fields[0] == b"Z" else int(fields[16]),
        "create_time": round(time.time() - age, 2),
        "age": round(age, 2),
        "cmdline": os.path.basename(words[0].decode("utf-8", "replace")),
        "children": [],
        "busy": busy,
    }


def share(busy: float, age: float, previous: tuple[float, float] | None) -> float:
    """The CPU share in percent since `previous`, or of the whole life; see usage()."""
    if previous is not None:
        passed = time.monotonic() - previous[1]
        if passed > 0:
            return round(100 * max(0.0, busy - previous[0]) / passed, 1)
    return round(100 * busy / age, 1) if age > 0 else 0.0


def human(size: int) -> str:
    """Bytes as people write them: 100B, 9.77K, 2.00G."""
    number = float(size)
    for unit in "BKMGTPEZ":
        if number < 1024 or unit == "Z":
            break
        number /= 1024
    return f"{size}B" if unit == "B" else f"{number:.2f}{unit}"
