"""Answers of circusd to families of numbers.

Labels are names from the configuration, and words of ours: never a pid or what a program says, so
that there are no more of them than there are watchers, sockets and streams.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from circus.plugins.base import CircusPlugin
from circus.plugins.figures import usage_of
from circus.plugins.metrics.exposition import Definition, Sheet
from circus.wire import topic_name

FAMILIES = (
    Definition("circus_up", "gauge", "Whether circusd answers."),
    Definition(
        "circus_control_delay_seconds",
        "gauge",
        "How long it took to answer the smallest question: its loop was busy that long.",
    ),
    Definition("circus_cpu_seconds", "counter", "Processor time of circusd."),
    Definition("circus_memory_bytes", "gauge", "Memory of circusd."),
    Definition(
        "circus_watcher_state", "stateset", "active, frozen, starting, stopping or stopped."
    ),
    Definition("circus_watcher_workers_wanted", "gauge", "Workers that there are to be."),
    Definition("circus_watcher_workers", "gauge", "Workers that run."),
    Definition("circus_watcher_slots", "gauge", "Slots by their state, as `why` has it."),
    Definition("circus_watcher_restarts", "counter", "Workers that took the place of others."),
    Definition(
        "circus_watcher_last_exit_code",
        "gauge",
        "How the last worker ended: its exit code, or minus the signal.",
    ),
    Definition("circus_watcher_last_exit_timestamp_seconds", "gauge", "When that was."),
    Definition("circus_watcher_cpu_seconds", "counter", "Processor time of workers."),
    Definition(
        "circus_watcher_memory_bytes",
        "gauge",
        "Memory of workers; of those with a control group with all that they started.",
    ),
    Definition("circus_output_written_bytes", "counter", "Output that was written."),
    Definition("circus_output_dropped_bytes", "counter", "Output that was dropped."),
    Definition("circus_output_dropped_lines", "counter", "Lines that were dropped."),
    Definition("circus_socket_queue", "gauge", "Connections that wait to be accepted."),
    Definition("circus_socket_backlog", "gauge", "Connections that may wait."),
)
QUESTIONS = ("why", "stats", "listsockets", "dstats")
"""What circusd is asked, in the order of `Answers`."""
STATUSES = ("active", "frozen", "starting", "stopping", "stopped")
SLOT_STATES = (
    "empty", "spawning", "starting", "ready", "stopping", "backoff", "failed", "done",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """The last end of a worker, as an event tells it."""

    code: int
    when: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What circusd said, and how many seconds it took to answer the smallest question."""

    why: Mapping[str, Any]
    stats: Mapping[str, Any]
    sockets: Mapping[str, Any]
    daemon: Mapping[str, Any]
    delay: float


class Total:
    """A sum that never falls, of numbers that start from 0 again when what they count is new."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._last: dict[str, Mapping[Hashable, float]] = {}

    def grown(self, name: str, parts: Mapping[Hashable, float]) -> float:
        """The sum for `name`, whose parts are these now."""
        last = self._last.get(name, {})
        for part, number in parts.items():
            before = last.get(part, 0.0)
            self._sums[name] += number - before if number >= before else number
        self._last[name] = parts
        return self._sums[name]


@dataclass(slots=True)
class Numbers:
    """Keeps what has to be remembered between two looks."""

    restarts: Total = field(default_factory=Total)
    busy: Total = field(default_factory=Total)
    ends: dict[str, End] = field(default_factory=dict)
    """By watcher, as topics have its name."""
    _instance: str | None = None
    _last: int = 0
    """The event that an answer told last, of that instance of circusd."""

    def missed(self) -> dict[str, Any]:
        """What to ask `events` for, so that `heard` knows how workers have ended."""
        return {"since": self._last, "instance": self._instance, "topics": ["watcher."]}

    def heard(self, answer: Mapping[str, Any]) -> None:
        """The answer to that."""
        for one in answer["events"]:
            self.happened(one["topic"], one["message"])
        self._instance, self._last = answer["instance"], answer["last"]

    def happened(self, topic: str, message: Mapping[str, Any]) -> None:
        """An event, which may be told twice, and late."""
        name, action, _ = CircusPlugin.split_data((topic, ""))
        if action == "reap":
            self.ended(name, message)
        elif action == "remove" and name in self.ends and self.ends[name].when <= message["time"]:
            del self.ends[name]

    def ended(self, name: str, message: Mapping[str, Any]) -> None:
        """An event tells of the end of a worker; they may come out of order."""
        end = End(message["exit_code"], message["time"])
        known = self.ends.setdefault(name, end)
        self.ends[name] = max(known, end, key=lambda one: one.when)

    def sheet(self, answers: Answers | None, more: Sequence[Definition] = ()) -> Sheet:
        """All of them; without answers only that there were none.

        `more`: families whose numbers the caller adds.
        """
        sheet = Sheet((*FAMILIES, *more))
        sheet.add("circus_up", int(answers is not None))
        if answers is not None:
            _add_daemon(sheet, answers)
            for watcher in answers.why["watchers"]:
                self._add_watcher(sheet, watcher)
            for name, infos in answers.stats["infos"].items():
                self._add_workers(sheet, name, infos)
            _add_outputs(sheet, answers.stats.get("outputs", {}))
            _add_sockets(sheet, answers.sockets["sockets"])
        return sheet

    def _add_watcher(self, sheet: Sheet, watcher: Mapping[str, Any]) -> None:
        name, slots = watcher["name"], watcher["slots"]
        sheet.add_state("circus_watcher_state", watcher["state"], STATUSES, watcher=name)
        sheet.add("circus_watcher_workers_wanted", watcher["numprocesses"], watcher=name)
        for word in SLOT_STATES:
            count = sum(slot["state"] == word for slot in slots)
            sheet.add("circus_watcher_slots", count, watcher=name, state=word)
        restarts = self.restarts.grown(name, {slot["wid"]: slot["restarts"] for slot in slots})
        sheet.add("circus_watcher_restarts", restarts, watcher=name)
        end = self.ends.get(topic_name(name))
        if end is not None:
            sheet.add("circus_watcher_last_exit_code", end.code, watcher=name)
            sheet.add("circus_watcher_last_exit_timestamp_seconds", end.when, watcher=name)

    def _add_workers(self, sheet: Sheet, name: str, infos: Mapping[str, Any]) -> None:
        found = {pid: usage_of(one) for pid, one in infos.items() if isinstance(one, dict)}
        seconds: dict[Hashable, float] = {pid: one.cpu_seconds for pid, one in found.items()}
        memory = sum(one.memory_bytes for one in found.values())
        sheet.add("circus_watcher_workers", len(found), watcher=name)
        sheet.add("circus_watcher_cpu_seconds", self.busy.grown(name, seconds), watcher=name)
        sheet.add("circus_watcher_memory_bytes", memory, watcher=name)


def _add_daemon(sheet: Sheet, answers: Answers) -> None:
    used = usage_of(answers.daemon["info"])
    sheet.add("circus_control_delay_seconds", answers.delay)
    sheet.add("circus_cpu_seconds", used.cpu_seconds)
    sheet.add("circus_memory_bytes", used.memory_bytes)


def _add_outputs(sheet: Sheet, outputs: Mapping[str, Mapping[str, Any]]) -> None:
    for watcher, streams in outputs.items():
        for stream, counts in streams.items():
            losses = counts["dropped"].values()
            for what, number in (
                ("written_bytes", counts["written"]),
                ("dropped_bytes", sum(loss["bytes"] for loss in losses)),
                ("dropped_lines", sum(loss["lines"] for loss in losses)),
            ):
                sheet.add(f"circus_output_{what}", number, watcher=watcher, stream=stream)


def _add_sockets(sheet: Sheet, sockets: Iterable[Mapping[str, Any]]) -> None:
    for one in sockets:
        if "queue" in one:
            sheet.add("circus_socket_queue", one["queue"], socket=one["name"])
        sheet.add("circus_socket_backlog", one["backlog"], socket=one["name"])
