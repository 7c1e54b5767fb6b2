"""CPU, memory and so on of a process, read when somebody asks."""

from __future__ import annotations

import os
import pwd
import time
from functools import lru_cache
from typing import Any, NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
TOTAL_MEMORY = os.sysconf("SC_PHYS_PAGES") * PAGE
"""Bytes of this machine."""
GONE = "No such process (stopped?)"
UNITS = "KMGTPEZ"
LONGEST = 4096
"""Bytes of a file that are read; those of a process that say more have what counts in front."""

Sample = tuple[float, float]
"""CPU seconds so far, and the monotonic moment at which they were looked up."""


class Stat(NamedTuple):
    """What changes all the time; sizes in bytes, times in seconds."""

    name: bytes
    """What the kernel calls it; another one when it executes another program."""
    state: bytes
    busy: float
    """CPU time, without that of its children."""
    nice: int
    threads: int
    born: float
    """Since the machine was started: with the pid it is nobody else's."""
    virtual: int
    resident: int


class Facts(NamedTuple):
    """What hardly ever changes while one program runs."""

    cmdline: str
    username: str


def usage(pid: int, previous: Sample | None = None) -> dict[str, Any] | None:
    """What `stats` tells of one process, or None when it is gone.

    `previous` is an earlier look: the CPU share is that since then, without it that of the whole
    life.
    """
    stat = look(pid)
    facts = stat and facts_of(pid)
    if stat is None or facts is None:
        return None
    age = age_of(stat)
    return {**told(pid, stat, facts, age, share(stat.busy, age, previous)), "busy": stat.busy}


def look(pid: int) -> Stat | None:
    """None when it is gone. Costs about 10 µs."""
    text = _read(f"/proc/{pid}/stat")
    end = text.rfind(b")")
    fields = text[end + 2 :].split(None, 22)
    if len(fields) < 22:
        return None
    return Stat(
        text[text.find(b"(") + 1 : end],
        fields[0],
        (int(fields[11]) + int(fields[12])) / TICKS,
        int(fields[16]),
        int(fields[17]),
        int(fields[19]) / TICKS,
        int(fields[20]),
        int(fields[21]) * PAGE,
    )


def facts_of(pid: int) -> Facts | None:
    """None when it is gone. May ask a name service who the user is, once."""
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    program = _read(f"/proc/{pid}/cmdline").partition(b"\0")[0]
    return Facts(os.path.basename(program.decode("utf-8", "replace")), _user_name(owner))


def age_of(stat: Stat) -> float:
    """Seconds since its start."""
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - stat.born)


def share(busy: float, age: float, previous: Sample | None) -> float:
    """The CPU share in percent since `previous`, or of the whole life; see usage()."""
    if previous is not None:
        passed = time.monotonic() - previous[1]
        if passed > 0:
            return round(100 * max(0.0, busy - previous[0]) / passed, 1)
    return round(100 * busy / age, 1) if age > 0 else 0.0


def told(pid: int, stat: Stat, facts: Facts, age: float, cpu: float) -> dict[str, Any]:
    """The form that `stats` has for it, without children."""
    return {
        "mem_info1": human(stat.resident),
        "mem_info2": human(stat.virtual),
        "cpu": cpu,
        "mem": round(100 * stat.resident / TOTAL_MEMORY, 3),
        "ctime": f"{int(stat.busy // 60)}:{stat.busy % 60:05.2f}",
        "pid": pid,
        "username": facts.username,
        "nice": "Zombie" if stat.state == b"Z" else stat.nice,
        "create_time": round(time.time() - age, 2),
        "age": round(age, 2),
        "cmdline": facts.cmdline,
        "children": [],
    }


def human(size: int) -> str:
    """Bytes as people write them: 100B, 9.77K, 2.00G."""
    power = min((size.bit_length() - 1) // 10, len(UNITS))
    return f"{size}B" if power <= 0 else f"{size / 1024**power:.2f}{UNITS[power - 1]}"


def children(pid: int, threads: int | None = None) -> list[int]:
    """Pids of the children, for the price of a file for each of its threads, if it has several.

    The kernel may leave one out while its siblings end (proc(5)).
    """
    tasks: list[str] | tuple[str]
    try:
        tasks = (str(pid),) if threads == 1 else os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found = (_read(f"/proc/{pid}/task/{task}/children", 65536) for task in tasks)
    return [int(number) for text in found for number in text.split()]


@lru_cache(maxsize=256)
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _read(path: str, longest: int = LONGEST) -> bytes:
    """The beginning of a file, nothing when it cannot be had."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, longest)
    except OSError:  # it ended in between
        return b""
    finally:
        os.close(fd)
