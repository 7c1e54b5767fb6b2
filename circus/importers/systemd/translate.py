"""A service of systemd, with its drop-ins and its socket, to watchers and sockets of ours."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.importers.draft import WORKER, Draft, Unfit
from circus.importers.files import beside, read
from circus.importers.report import (
    Option,
    Report,
    Verdict,
    changed,
    decide,
    handled,
    kept,
    left_out,
    lost,
)
from circus.importers.systemd.directives import SERVICE, finish, other
from circus.importers.systemd.lost import ON_CIRCUS, STAY
from circus.importers.systemd.read import Unit, stem_of
from circus.importers.systemd.restart import burst
from circus.importers.systemd.service import (
    INSTALLED,
    Service,
    asked_instances,
    share_a_watcher,
    specifiers,
)
from circus.importers.systemd.sockets import sockets

if TYPE_CHECKING:
    from collections.abc import Mapping

THERE_ALREADY = frozenset({
    "network.target", "local-fs.target", "nss-user-lookup.target", "basic.target", "syslog.target",
    "sysinit.target", "multi-user.target", "default.target", "syslog.service",
})  # fmt: skip
"""What circus.service comes after, or needs not to."""


def import_systemd(path: str, host: str, instances: str | None) -> tuple[Draft, Report]:
    """What a service becomes; `host` is the name of this machine.

    Raises CircusError for what is none. Reads files, so it may block.
    """
    draft, report = Draft(), Report()
    unit = Unit(path, report)
    unit.load()
    if not unit.options("Service", "ExecStart"):
        raise CircusError(f"{path}: this is no service that can be run, it has no ExecStart=")
    service = Service(unit, draft, host)
    service.timer = beside(path, f"{os.path.basename(path).rpartition('.')[0]}.timer")
    template = _name_watchers(service, instances)
    service.on_demand = _sockets(service, report)
    verdicts = {
        option: handled(SERVICE.get(key, other), service, option)
        for key, options in unit.sections.get("Service", {}).items()
        for option in options
    }
    finish(service)
    runs = all(draft.has(f"watcher:{name}", "cmd") for name, _ in service.watchers)
    for name, _ in () if runs else service.watchers:
        draft.drop(f"watcher:{name}")
        draft.drop(f"env:{name}")
    for option, verdict in verdicts.items():
        report.add(option, verdict if runs else left_out("Service", verdict))
    _headers(service, report, NO_COMMAND if not runs else NOT_ASKED if template else None)
    _others(service, report)
    return draft, report


def _name_watchers(service: Service, asked: str | None) -> bool:
    """One for each instance, or one for all. Whether instances had to be asked for."""
    unit, draft = service.unit, service.draft
    stem, instance = stem_of(unit.path)
    template = instance == ""
    if asked is not None and not template:
        raise CircusError(f"{unit.path}: --instances is for a template, NAME@.service")
    try:
        wanted = asked_instances(asked or "1") if template else [instance]
    except Unfit as error:
        raise CircusError(str(error)) from error
    if template and share_a_watcher(unit, [str(one) for one in wanted]):
        names = specifiers(stem, WORKER, service.host)
        name = draft.free_name("watcher", stem)
        service.watchers = [(name, names)]
        draft.put(f"watcher:{name}", "numprocesses", str(len(wanted)))
        return asked is None
    for one in wanted:
        name = draft.free_name("watcher", stem if one is None else f"{stem}@{one}")
        draft.begin(f"watcher:{name}")
        service.watchers.append((name, specifiers(stem, one, service.host)))
        if template:
            draft.put(f"watcher:{name}", "group", draft.free_name("group", stem))
    return template and asked is None


def _headers(service: Service, report: Report, wrong: Verdict | None) -> None:
    first, last = service.watchers[0][0], service.watchers[-1][0]
    shown = f"[watcher:{first}]" + (f" to [watcher:{last}]" if last != first else "")
    for section, option in service.unit.headers:
        if section == "Service":
            say = wrong or _head(service, shown)
        elif section in ("Unit", "Install"):
            say = kept("what holds for the watcher as a whole")
        else:
            say = lost(f"a service has no [{section}]")
        report.add(option, say)


def _head(service: Service, shown: str) -> Verdict:
    """What became of the service as a whole, and of what it does not say."""
    if not service.value("Restart"):
        shown += ", not started again when it has ended: nothing has Restart="
    if service.installed or service.on_demand or service.timer:
        return kept(shown)
    say = f"{shown}, and started with circusd, though nothing has WantedBy="
    return changed(say, "autostart = False leaves it to circusctl start")


def _sockets(service: Service, report: Report) -> bool:
    """Write those of the units beside it. Whether the first connection starts the service."""
    unit = service.unit
    stem, _ = stem_of(unit.path)
    wanted = [f"{stem}.socket"]
    for option in unit.options("Service", "Sockets"):
        wanted += option.value.split()
    found = False
    for name in dict.fromkeys(wanted):
        path = beside(unit.path, name)
        if path is None:
            continue
        other_unit = Unit(path, report)
        other_unit.load()
        for section, header in other_unit.headers:
            report.add(header, kept("sockets of circusd") if section == "Socket" else PART)
        words = {key: str(value) for key, value in service.watchers[0][1].items()}
        names = sockets(other_unit, service.draft, stem, words, report)
        service.sockets += names
        found = found or bool(names)
        _common(other_unit, report)
    return found and not service.installed


NO_COMMAND = decide("no watcher: there is no command to run", "see ExecStart")
NOT_ASKED = decide("a watcher for an instance called 1", "name others with --instances")
PART = kept("what holds for the unit as a whole")


def _others(service: Service, report: Report) -> None:
    _common(service.unit, report, service)
    for section, keys in service.unit.sections.items():
        if section in ("Unit", "Install", "Service"):
            continue
        for option in (one for options in keys.values() for one in options):
            say = "for those who have the unit" if section.startswith("X-") else "systemd has none"
            report.add(option, lost(f"in [{section}]: {say}"))
    if service.timer is not None:
        name, last = os.path.basename(service.timer), read(service.timer).count("\n") + 1
        report.add(Option("", "", name, 1, last, name), _timer(service))


def _timer(service: Service) -> Verdict:
    say = "circusd starts nothing by the clock"
    if not service.installed:
        say += ": autostart = False"
    return decide(say, "leave the timer and its service to systemd")


def _common(unit: Unit, report: Report, service: Service | None = None) -> None:
    """[Unit] and [Install]."""
    for section, table in (("Unit", UNIT), ("Install", INSTALL)):
        for key, options in unit.sections.get(section, {}).items():
            for option in options:
                if section == "Unit" and key.startswith("StartLimit") and service is not None:
                    verdict = handled(burst, service, option)
                elif key in ORDER:
                    verdict = _order(unit, option)
                elif key.startswith(("Condition", "Assert")):
                    verdict = CONDITION
                else:
                    verdict = table.get(key, STAY)
                report.add(option, verdict)


def _order(unit: Unit, option: Option) -> Verdict:
    """After= and its like: what circusd starts is started when circus.service is."""
    stem, _ = stem_of(unit.path)
    own = (f"{stem}.socket", f"{stem}.service")
    names = [name for name in option.value.split() if name not in own]
    rest = [name for name in names if name not in THERE_ALREADY and not ROOT.fullmatch(name)]
    if not rest:
        return kept("circus.service is started in this order too")
    say = "circusd knows no other units, only after and requires between its watchers"
    return decide(say, f"{option.key}={' '.join(rest)}: {ON_CIRCUS}")


ROOT = re.compile(r"-\.(mount|slice)|system\.slice")
ORDER = frozenset({"After", "Before", "Requires", "Requisite", "Wants", "BindsTo", "PartOf",
                   "Upholds"})  # fmt: skip
CONDITION = lost(
    "circusd starts it whatever the machine has", f"check it in the program, or {ON_CIRCUS}"
)
WORDS = changed("it stands here, at the head of the configuration")
UNIT: Mapping[str, Verdict] = {
    "Description": WORDS,
    "Documentation": WORDS,
    "SourcePath": WORDS,
    "DefaultDependencies": changed("circus.service has the usual ones"),
    "Conflicts": lost("watchers do not exclude each other", "stop the other one by hand"),
    "OnFailure": decide("nothing is started when a worker fails", "let a plugin do it"),
    "OnSuccess": decide("nothing is started when a worker has ended", "let a plugin do it"),
    "RequiresMountsFor": decide("circusd waits for no file system", ON_CIRCUS),
    "WantsMountsFor": decide("circusd waits for no file system", ON_CIRCUS),
}
INSTALL: Mapping[str, Verdict] = {
    **dict.fromkeys(INSTALLED, kept("autostart = True, the default: it starts with circusd")),
    "Also": changed("a socket that is beside this unit is taken over with it"),
    "Alias": lost("a watcher has one name"),
    "DefaultInstance": changed("instances are those that --instances names"),
}
