"""Event listeners of Supervisor: what does the same here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.importers.report import Report, decide, left_out

if TYPE_CHECKING:
    from circus.importers.supervisor.read import Section

KNOWN = {
    "memmon": "memory_max in the watcher, or the plugin resource_watcher, restarts who takes too "
    "much memory",
    "httpok": "the plugin http_observer restarts who does not answer",
    "crashmail": "circusctl listen, or a plugin, is told of each end",
    "crashmailbatch": "circusctl listen, or a plugin, is told of each end",
    "crashsms": "circusctl listen, or a plugin, is told of each end",
    "fatalmailbatch": "circusctl listen, or a plugin, is told of each end",
}
"""Programs that many people run, and what to take in their place."""
OTHERS = "rewrite it as a plugin, see docs/plugins.md, or let it read circusctl listen"


def listener(section: Section, report: Report) -> None:
    """Nothing is written for one: it speaks Supervisor's protocol on its standard input."""
    command = (section.value("command") or "").split()
    hint = OTHERS
    for word in command[:2]:
        hint = KNOWN.get(word.rpartition("/")[2].removesuffix(".py"), hint)
    report.add(section.header, decide("no watcher: circusd does not speak its protocol", hint))
    for option in section.options.values():
        report.add(option, left_out(section.name))
