"""Answers as tables, for a person in front of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.output import output_rows
from circus.commands.text import duration, option_text
from circus.ctl.terminal import GREEN, RED, YELLOW, Cell, Terminal, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from circus.commands.command import Reply

COLORS = {
    "active": GREEN,
    "running": GREEN,
    "frozen": YELLOW,
    "starting": YELLOW,
    "stopping": YELLOW,
    "backing off": YELLOW,
    "given up": RED,
}
PIDS = 6
"""So many are named, of more only how many there are."""


def status_table(statuses: Reply, watchers: Iterable[Reply], on: Terminal) -> str:
    """A line for each watcher. `watchers`: what `why` tells of them, or of none."""
    known = {watcher["name"]: watcher for watcher in watchers}
    head = ("NAME", "STATE", "WORKERS", "RESTARTS", "SINCE", "PIDS")
    rows = [(name, _state(word), *_workers(known.get(name))) for name, word in statuses.items()]
    if not known:
        return table(head[:2], [row[:2] for row in rows], on)
    return table(head, rows, on)


def _workers(watcher: Reply | None) -> tuple[str | Cell, ...]:
    """How many are ready of how many, restarts, since when, and their pids or what is wrong."""
    if watcher is None:
        return "", "", "", ""
    slots = watcher["slots"]
    ready = sum(slot["state"] == "ready" for slot in slots)
    running = [slot for slot in slots if slot["state"] == "ready"]
    counts = f"{ready}/{watcher['numprocesses']}"
    restarts = str(sum(slot["restarts"] for slot in slots))
    since = duration(min(slot["since"] for slot in running)) if running else ""
    return counts, restarts, since, _note(watcher, slots)


def _note(watcher: Reply, slots: list[Reply]) -> str | Cell:
    if watcher["waits_for"]:
        return Cell(f"waits for {watcher['waits_for']}", YELLOW)
    if watcher["halted"]:
        return Cell(watcher["halted"], RED if watcher["state"] == "stopped" else YELLOW)
    for slot in slots:
        if slot["state"] in ("backoff", "failed"):
            return Cell(f"{slot['last']}; {slot['next']}", RED)
    if watcher.get("unlimited"):
        return Cell(watcher["unlimited"], YELLOW)
    pids = [str(slot["pid"]) for slot in slots if slot["pid"]]
    more = f" and {len(pids) - PIDS} more" if len(pids) > PIDS else ""
    return " ".join(pids[:PIDS]) + more


def _state(word: str) -> Cell:
    return Cell(word, COLORS.get(word, ""))


def _why(reply: Reply, on: Terminal) -> str:
    head = ("WORKER", "DOING", "SINCE", "LAST", "NEXT", "PID", "RESTARTS")
    rows: list[tuple[str | Cell, ...]] = []
    for watcher in reply["watchers"]:
        name = watcher["name"]
        if not watcher["slots"] or watcher["halted"]:
            waits = f"waits for {watcher['waits_for']}" if watcher["waits_for"] else ""
            halted = watcher["halted"] or ""
            rows.append((name, _state(watcher["state"]), "", halted, waits, "", ""))
        if watcher.get("unlimited"):
            rows.append((name, _state(watcher["state"]), "", watcher["unlimited"], "", "", ""))
        rows += [_slot(name, slot) for slot in watcher["slots"]]
    return table(head, rows, on)


def _slot(name: str, slot: Reply) -> tuple[str | Cell, ...]:
    return (
        f"{name}.{slot['wid']}",
        Cell(slot["what"], COLORS.get(slot["what"], "")),
        duration(slot["since"]),
        slot["last"],
        "" if slot["next"] == "nothing" else slot["next"],
        str(slot["pid"] or ""),
        str(slot["restarts"]),
    )


_USAGE = {
    "PROGRAM": "cmdline", "USER": "username", "NICE": "nice", "MEMORY": "mem_info1",
    "VIRTUAL": "mem_info2", "CPU%": "cpu", "MEM%": "mem", "TIME": "ctime",
}  # fmt: skip


def _stats(reply: Reply, on: Terminal) -> str:
    infos = reply.get("infos") or {reply.get("name", ""): reply["info"]}
    if "process" in reply:
        infos = {"": {reply["process"]: reply["info"]}}
    rows = [
        (name, *row) for name, info in infos.items() for pid, one in info.items()
        for row in _processes(str(pid), one)
    ]  # fmt: skip
    if "process" in reply:
        return table(("PID", *_USAGE), [row[1:] for row in rows], on)
    return "\n\n".join(
        filter(None, [table(("WATCHER", "PID", *_USAGE), rows, on), _output(reply, on)])
    )


def _output(reply: Reply, on: Terminal) -> str:
    outputs = reply.get("outputs") or {reply.get("name", ""): reply.get("output", {})}
    rows = [(name, *row) for name, streams in outputs.items() for row in output_rows(streams)]
    head = ("WATCHER", "STREAM", "READ", "WRITTEN", "LINES DROPPED", "BYTES DROPPED", "WHY")
    return table(head, rows, on) if rows else ""


def _processes(pid: str, info: Any, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """A worker and, indented, its children."""
    if not isinstance(info, dict):
        yield (pid, str(info), *[""] * (len(_USAGE) - 1))
        return
    yield ("  " * depth + pid, *(str(info.get(key)) for key in _USAGE.values()))
    for child in info.get("children", []):
        yield from _processes(str(child.get("pid")), child, depth + 1)


def _sockets(reply: Reply, on: Terminal) -> str:
    rows = [
        (
            str(sock["fd"]),
            sock["name"],
            sock["path"] if "path" in sock else f"{sock['host']}:{sock['port']}",
            str(sock.get("backlog", "")),
        )
        for sock in reply["sockets"]
    ]
    return table(("FD", "NAME", "ADDRESS", "BACKLOG"), rows, on)


def _options(reply: Reply, on: Terminal) -> str:
    rows = [(key, option_text(key, value)) for key, value in reply["options"].items()]
    return table(("OPTION", "VALUE"), rows, on)


TABLES: dict[str, Callable[[Reply, Terminal], str]] = {
    "listsockets": _sockets,
    "options": _options,
    "stats": _stats,
    "why": _why,
}
"""By verb; what is not here is printed as it is into a pipe."""
