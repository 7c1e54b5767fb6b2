"""supervisord.conf to a configuration of ours: the sections of the daemon, groups, the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from circus.exc import CircusError
from circus.importers.draft import Draft, Unfit
from circus.importers.report import (
    Handler,
    Option,
    Report,
    Verdict,
    changed,
    decide,
    handled,
    kept,
    lost,
    says,
)
from circus.importers.supervisor.forms import FALSE, Context, expanded
from circus.importers.supervisor.listeners import listener
from circus.importers.supervisor.options import translate
from circus.importers.supervisor.program import DEFAULTS, ROOT, Program
from circus.importers.supervisor.read import Source, put_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.importers.supervisor.read import Section

PRIORITY = 999
"""Of a program or group that does not say; low numbers start first."""
PROGRAMS = ("program", "fcgi-program")
LEVELS = {"warn": "warning", "trace": "debug", "blather": "debug"}
OWN_LOG = "circusd logs to standard error, under systemd to the journal"


class Daemon(NamedTuple):
    """[supervisord], while it is read."""

    section: Section
    draft: Draft
    context: Context


def import_supervisor(path: str, host: str) -> tuple[Draft, Report]:
    """What a file and its includes become; `host` is the name of this machine.

    Raises CircusError for what is no configuration of Supervisor. Reads files, so it may block.
    """
    draft, report = Draft(), Report()
    source = Source(path, report)
    source.load()
    if not any(name.partition(":")[0] in TABLES for name in source.sections):
        raise CircusError(f"{path}: this is no configuration of Supervisor, it has no [program:x]")
    context = Context(source.here, host)
    draft.begin("circus")
    for key, value in DEFAULTS.items():
        draft.put("DEFAULT", key, value)
    for name, section in source.sections.items():
        kind = name.partition(":")[0]
        if kind in ("supervisord", *PROGRAMS, "include", "eventlistener"):
            continue
        _simple(section, TABLES.get(kind), report)
    daemon = source.sections.get("supervisord")
    if daemon is not None:
        report.add(daemon.header, changed("[circus] and what holds for all watchers"))
        subject = Daemon(daemon, draft, context)
        for option in daemon.options.values():
            handler = SUPERVISORD.get(option.key, _unknown)
            report.add(option, handled(handler, subject, option))
    _programs(source, draft, context, report)
    if not any(name.startswith(("program:", "fcgi-program:")) for name in source.sections):
        draft.drop("DEFAULT")
    return draft, report


def _programs(source: Source, draft: Draft, context: Context, report: Report) -> None:
    groups = _groups(source)
    ranks = _ranks(source, groups)
    common = source.sections.get("supervisord")
    for name, section in source.sections.items():
        kind, _, program = name.partition(":")
        if kind == "eventlistener":
            listener(section, report)
        elif kind in PROGRAMS:
            translate(
                Program(
                    program.strip(), section, draft, context, ranks[name],
                    groups.get(program.strip(), ("", 0))[0], common.options if common else {},
                ),
                report,
            )  # fmt: skip


def _groups(source: Source) -> dict[str, tuple[str, int]]:
    """The name and the priority of the group that a program is in."""
    found: dict[str, tuple[str, int]] = {}
    for name, section in source.sections.items():
        kind, _, group = name.partition(":")
        if kind == "group":
            for program in (section.value("programs") or "").split(","):
                one = (group.strip(), _number(section.value("priority")))
                found.setdefault(program.strip(), one)
    return found


def _ranks(source: Source, groups: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Our priority of each program: bigger numbers start first, those without are at 0."""
    order: dict[str, tuple[int, int]] = {}
    for name, section in source.sections.items():
        kind, _, program = name.partition(":")
        if kind in PROGRAMS:
            own = _number(section.value("priority"))
            group = groups.get(program.strip())
            order[name] = (own, own) if group is None else (group[1], own)
    if not groups:
        return {name: PRIORITY - own for name, (own, _) in order.items()}
    places = {pair: place for place, pair in enumerate(sorted(set(order.values()), reverse=True))}
    return {name: places[pair] for name, pair in order.items()}


def _number(text: str | None) -> int:
    try:
        return PRIORITY if text is None else int(text)
    except ValueError:
        return PRIORITY


def _simple(section: Section, table: Mapping[str, Verdict] | None, report: Report) -> None:
    """A section of which nothing but words comes."""
    if table is None:
        say = f"Supervisor itself has no [{section.name}]"
        table = {"": lost(say, "what reads it knows what it is for")}
    for option in (section.header, *section.options.values()):
        verdict = table.get(option.key) or table.get("*") or table[""]
        if option.key == "chmod" and option.value in ("0700", "700"):
            verdict = kept("circusd's own socket, which only its user can open")
        report.add(option, verdict)


def _unknown(_daemon: Daemon, option: Option) -> Verdict:
    return lost(f"Supervisor has no option {option.key}", "look whether it is misspelt")


def _loglevel(daemon: Daemon, option: Option) -> Verdict:
    level = option.value.lower()
    said = daemon.draft.put("circus", "loglevel", LEVELS.get(level, level))
    return changed(said) if level in LEVELS else kept(said)


def _umask(daemon: Daemon, option: Option) -> Verdict:
    return kept(daemon.draft.put("circus", "umask", option.value))


def _environment(daemon: Daemon, option: Option) -> Verdict:
    def put(name: str, value: str) -> None:
        text = expanded(value, daemon.context, {}, environment=True)
        daemon.draft.put("env", name, text)

    put_pairs(option.value, put)
    return kept("[env], which all watchers have")


def _user(_daemon: Daemon, option: Option) -> Verdict:
    if option.value in ROOT:
        return kept("circusd runs as whoever starts it; circus.service runs as root")
    return changed(f"uid = {option.value} in watchers that have no user; circusd itself stays root")


def _strip_ansi(_daemon: Daemon, option: Option) -> Verdict:
    if option.value.lower() in FALSE:
        return kept("nothing: it is off")
    return lost("output is passed on as it is", "have the programs write without colours")


def _minimum(limit: str) -> Handler[Daemon]:
    def handler(_daemon: Daemon, option: Option) -> Verdict:
        if not option.value.isdecimal():
            raise Unfit(f"{option.value!r} is not a number", "mend it")
        return changed(f"{limit} = {option.value} in each watcher")

    return handler


SUPERVISORD: Mapping[str, Handler[Daemon]] = {
    "logfile": says(changed(OWN_LOG, "logoutput = FILE in [circus] has it elsewhere")),
    "logfile_maxbytes": says(changed(OWN_LOG, "the journal has a limit of its own")),
    "logfile_backups": says(changed(OWN_LOG, "the journal has a limit of its own")),
    "loglevel": _loglevel,
    "pidfile": says(changed("circus.service needs none", "circusd --pidfile FILE writes one")),
    "umask": _umask,
    "nodaemon": says(changed("circusd stays in the foreground unless it is told --daemon")),
    "silent": says(changed(OWN_LOG)),
    "minfds": _minimum("rlimit_nofile"),
    "minprocs": _minimum("rlimit_nproc"),
    "nocleanup": says(changed("there are no files of its own to clean up")),
    "childlogdir": says(changed("output without a file goes to the journal, not into files")),
    "user": _user,
    "directory": says(kept("working_dir of watchers that have no directory")),
    "strip_ansi": _strip_ansi,
    "environment": _environment,
    "identifier": says(changed("circusd needs no name to tell it from others")),
}

OWN_SOCKET = changed("circusd's own socket, by default /run/circus/control")
LET_IN = decide(
    "only root and circusd's own user may use circusctl",
    "name who else may in operate_users or operate_groups of [circus]",
)
ON_TCP = decide(
    "nothing listens on TCP",
    "for the web page set httpd = True in [circus], see docs/web-console.md",
)
NO_PASSWORD = changed(
    "circusd asks for no password, it knows who connects",
    "circushttpd passwd gives people one for the web console",
)
FINDS = changed("circusctl finds circusd by itself")
RPC = changed("programs use circus.client, circusctl --json or the API of the web console")
GROUP = changed("group of its watchers; circusctl takes them all as @NAME")

TABLES: Mapping[str, Mapping[str, Verdict]] = {
    "supervisord": {},
    "program": {},
    "fcgi-program": {},
    "eventlistener": {},
    "include": {},
    "unix_http_server": {
        "": OWN_SOCKET, "file": OWN_SOCKET, "chmod": LET_IN, "chown": LET_IN,
        "username": NO_PASSWORD, "password": NO_PASSWORD,
    },
    "inet_http_server": {
        "": ON_TCP, "port": ON_TCP, "username": NO_PASSWORD, "password": NO_PASSWORD,
    },
    "supervisorctl": {"*": FINDS},
    "rpcinterface": {"*": RPC},
    "group": {"*": GROUP},
}  # fmt: skip
"""Sections that take no more than words; `*` stands for all of their options."""
