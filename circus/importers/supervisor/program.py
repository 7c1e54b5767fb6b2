"""A [program:x] or [fcgi-program:x] of Supervisor to one watcher or several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.importers.draft import WORKER, Unfit
from circus.importers.supervisor.forms import NUMBER, TRUE, expanded, names_number, plain_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.importers.draft import Draft, Value
    from circus.importers.report import Option
    from circus.importers.supervisor.forms import Context
    from circus.importers.supervisor.read import Section

DEFAULTS = {
    "copy_env": "True",
    "ready_after": "1",
    "max_retry": "4",
    "backoff_delay": "2",
    "backoff_reset": "1",
    "graceful_timeout": "10",
}
"""What Supervisor does with a program that does not say otherwise."""
ROOT = ("root", "0")
MOST = 200
"""Watchers that one program is made into, where each process differs."""
NUMBERED = ("environment", "directory", "stdout_logfile", "stderr_logfile", "socket")
"""Options in which the number of a process cannot stay a variable."""


@dataclass
class Program:
    """One while it is translated."""

    name: str
    section: Section
    draft: Draft
    context: Context
    rank: int
    """Its priority, ours."""
    group: str
    common: Mapping[str, Option]
    """Options of [supervisord], some of which are defaults."""
    watchers: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """The names of its watchers, and what forms stand for in each."""

    def value(self, key: str, default: str = "") -> str:
        """As written."""
        return self.section.value(key) or default

    def number(self, key: str, default: int) -> int:
        """Raises Unfit."""
        text = self.value(key, str(default))
        try:
            return int(text)
        except ValueError:
            raise Unfit(f"{text!r} is not a whole number", "mend it") from None

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Whether it is switched on."""
        return self.value(key, str(default)).lower() in TRUE

    def inherited(self) -> dict[str, Option]:
        """What [supervisord] says of it, by our options."""
        user = self.common.get("user")
        found = {
            "rlimit_nofile": self.common.get("minfds"),
            "rlimit_nproc": self.common.get("minprocs"),
            "uid": None if self.value("user") or (user and user.value in ROOT) else user,
            "working_dir": None if self.value("directory") else self.common.get("directory"),
        }
        return {key: option for key, option in found.items() if option is not None}

    def text(self, text: str, names: Mapping[str, object], *, environment: bool = False) -> str:
        """With all forms replaced. Raises Unfit."""
        return expanded(text, self.context, names, environment=environment)

    def put(self, key: str, value: Value) -> str:
        """Set an option of each watcher, and give it as it is shown. Raises Unfit."""
        return self.draft.put_all(self.watchers, key, value)

    def put_text(self, key: str, text: str) -> str:
        """The same with forms of Supervisor in it."""
        return self.put(key, lambda names: self.text(text, names))


def name_watchers(program: Program) -> None:
    """One watcher for all of its processes, or one for each where they differ. Raises Unfit."""
    count = _count(program)
    start = program.number("numprocs_start", 0)
    names: dict[str, object] = {
        "program_name": program.name,
        "group_name": program.group or program.name,
        "numprocs": count,
    }
    if count == 1:
        name = program.draft.free_name("watcher", program.name)
        program.watchers = [(name, {**names, NUMBER: start})]
    elif not _differ(program, start):
        name = program.draft.free_name("watcher", program.name)
        program.watchers = [(name, {**names, NUMBER: WORKER})]
    elif isinstance(count, str):
        raise Unfit("they differ, and how many there are is in a variable", "write the number")
    elif count > MOST:
        say = f"{count} processes that differ would be as many watchers"
        raise Unfit(say, "let the program find its number out, in $(circus.wid)")
    else:
        form = program.value("process_name", "%(program_name)s_%(process_num)02d")
        for number in range(start, start + count):
            mine = {**names, NUMBER: number}
            wanted = program.text(form, mine) if names_number(form) else f"{form}-{number}"
            name = program.draft.free_name("watcher", wanted)
            program.draft.begin(f"watcher:{name}")
            program.watchers.append((name, mine))
        program.group = program.group or program.name
    for name, _ in program.watchers:
        program.draft.begin(f"watcher:{name}")


def _count(program: Program) -> int | str:
    """How many processes it has, or the variable of ours that says so. Raises Unfit."""
    if "%(ENV_" in program.value("numprocs"):
        return program.text(program.value("numprocs"), {})
    count = program.number("numprocs", 1)
    if count < 1:
        raise Unfit(f"numprocs is {count}", "mend it")
    return count


def _differ(program: Program, start: int) -> bool:
    """Whether its processes cannot share a watcher, in which they are numbered from 1."""
    if any(names_number(program.value(key)) for key in NUMBERED):
        return True
    command = program.value("command")
    return names_number(command) and not (start == 1 and plain_number(command))
