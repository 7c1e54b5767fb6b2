"""All sources, and what they have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from circus.importers.circus.translate import import_circus
from circus.importers.draft import Draft
from circus.importers.procfile import import_procfile
from circus.importers.report import Fate, Option, Report, decide, one_line
from circus.importers.sound import ITS_SECTION, Lines, make_sound
from circus.importers.supervisor.translate import import_supervisor
from circus.importers.systemd.translate import import_systemd


class Asked(NamedTuple):
    """What is to be imported."""

    path: str
    output: str
    """Where the result is to stand, which the paths of includes begin at."""
    host: str
    instances: str | None


class Imported(NamedTuple):
    """What was made of a source."""

    text: str
    """The configuration; what somebody should know of it stands at its head, in comments."""
    report: Report


def convert(source: str, path: str, output: str, host: str, instances: str | None) -> Imported:
    """What a file becomes, to stand at `output`. Raises CircusError for what is no such file.

    `host` is the name of this machine; `instances` those of a template of systemd. Reads files and
    executes nothing; it may block.
    """
    text, report = IMPORTERS[source](Asked(path, output, host, instances))
    return Imported(f"{_head(source, path, report)}\n{text}", report)


def _circus(asked: Asked) -> tuple[str, Report]:
    return import_circus(asked.path, asked.output)


def _supervisor(asked: Asked) -> tuple[str, Report]:
    return _drafted(asked, *import_supervisor(asked.path, asked.host))


def _drafted(asked: Asked, draft: Draft, report: Report) -> tuple[str, Report]:
    """The text of a draft, and whatever circusd would not take after all in comments."""
    lines = Lines(draft.groups())
    for at, wrong in make_sound(lines, asked.output):
        if at is not None and wrong != ITS_SECTION:
            option = Option("", "", asked.path, 1, 1, lines.groups[at][0])
            report.add(option, decide(f"in a comment now: {wrong}", "mend it"))
    return lines.text(), report


def _head(source: str, path: str, report: Report) -> str:
    told = [str(entry) for entry in report.in_order() if entry.verdict.fate is not Fate.KEPT]
    lines = [
        f"Made by: circusctl import {source} {os.path.basename(path)}",
        f"Of it {report.summary()}.",
        *told,
    ]
    return "".join(f"# {one_line(line)}\n" for line in lines)


def _procfile(asked: Asked) -> tuple[str, Report]:
    return _drafted(asked, *import_procfile(asked.path))


def _systemd(asked: Asked) -> tuple[str, Report]:
    return _drafted(asked, *import_systemd(asked.path, asked.host, asked.instances))


IMPORTERS: Mapping[str, Callable[[Asked], tuple[str, Report]]] = {
    "supervisor": _supervisor,
    "procfile": _procfile,
    "systemd": _systemd,
    "circus": _circus,
}
"""By the name that `circusctl import` knows them by."""
