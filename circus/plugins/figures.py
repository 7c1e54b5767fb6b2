"""Numbers in what circusd tells of processes, and in what options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from circus.gauges.process import TOTAL_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNITS = "BKMGTPEZY"


class Usage(NamedTuple):
    """What something uses: shares in percent, the processor's since the last look."""

    cpu: float
    memory: float
    memory_bytes: int
    cpu_seconds: float
    """Since it was started."""


def usage_of(info: Mapping[str, Any], *, unknown: float = 0.0) -> Usage:
    """Of a worker with all that it started when that is counted (`tree`), else of it alone.

    A share that is not known (`N/A`) counts as `unknown`.
    """
    tree = info.get("tree", {})
    size = tree["memory"] if "memory" in tree else bytes_of(info.get("mem_info1"))
    share = info.get("mem")
    if "memory" in tree:
        share = 100 * tree["memory"] / TOTAL_MEMORY
    return Usage(
        cpu=number_of(tree.get("cpu", info.get("cpu")), unknown),
        memory=number_of(share, unknown),
        memory_bytes=size,
        cpu_seconds=tree["busy"] if "busy" in tree else _seconds(str(info.get("ctime"))),
    )


def workers_of(infos: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of a watcher of which anything is known: of one that has just ended it is not."""
    return (info for info in infos.values() if isinstance(info, dict))


def number_of(told: object, unknown: float = 0.0) -> float:
    """A number, or `unknown` for what is not one."""
    return told if isinstance(told, int | float) else unknown


def bytes_of(told: object) -> int:
    """A size with its unit, as `9.77K`; 0 for what is not known."""
    try:
        return parse_bytes(str(told))
    except ValueError:
        return 0


def parse_bytes(text: str) -> int:
    """The same of an option. Raises ValueError."""
    number, unit = text.strip()[:-1], text.strip()[-1:].upper()
    if not unit or unit not in UNITS:
        raise ValueError(f"{text!r} is not a size such as 200M")
    return int(float(number) * 1024 ** UNITS.index(unit))


def _seconds(ctime: str) -> float:
    """Of `MINUTES:SECONDS`; 0 for what is not known."""
    minutes, colon, seconds = ctime.partition(":")
    return 60 * int(minutes) + float(seconds) if colon else 0.0
