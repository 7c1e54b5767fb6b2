"""What becomes of each option of a program of Supervisor."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
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
    numbered,
)
from circus.importers.supervisor.forms import FALSE, TRUE
from circus.importers.supervisor.program import Program, name_watchers
from circus.importers.supervisor.read import put_pairs
from circus.importers.supervisor.streams import INHERITED, leads, logfile, redirect, size, syslog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.importers.report import Handler


def translate(program: Program, report: Report) -> None:
    """Write its watchers, and report on each of its lines."""
    options = program.section.options
    try:
        name_watchers(program)
    except Unfit as error:
        report.add(program.section.header, decide(f"no watcher: {error}", error.todo))
        for option in options.values():
            report.add(option, left_out(program.section.name))
        return
    verdicts = {
        option: handled(PROGRAM.get(option.key, _unknown), program, option)
        for option in sorted(options.values(), key=_of_a_socket)
    }
    _finish(program)
    report.add(program.section.header, _head(program))
    for option, verdict in verdicts.items():
        gone = not program.watchers
        report.add(option, left_out(program.section.name, verdict) if gone else verdict)


def _of_a_socket(option: Option) -> bool:
    """These come last: what is said of them depends on what became of the socket."""
    return option.key.startswith("socket_")


def _head(program: Program) -> Verdict:
    """What is said of its header: what it became, and of the options that it does not have."""
    sections = [f"watcher:{name}" for name, _ in program.watchers]
    if not all(program.draft.has(section, "cmd") for section in sections):
        for name, _ in program.watchers:
            for kind in ("watcher", "env", "socket"):
                program.draft.drop(f"{kind}:{name}")
        program.watchers = []
        todo = "see its command" if program.value("command") else "give it a command"
        return decide("no watcher: there is no command to run", todo)
    shown = f"[{sections[0]}]" + (f" to [{sections[-1]}]" if len(sections) > 1 else "")
    loose = [stream for stream in ("stdout", "stderr") if not leads(program, stream)]
    if not loose:
        return kept(shown)
    return changed(f"{shown}; {' and '.join(loose)}: {INHERITED}")


def _finish(program: Program) -> None:
    """What comes from elsewhere, or from several options together.

    What is wrong with any of it is told where it is written.
    """
    for key, option in program.inherited().items():
        with contextlib.suppress(Unfit):
            program.put_text(key, option.value)
    unexpected = program.value("autorestart", "unexpected").lower() == "unexpected"
    if unexpected and not program.value("exitcodes"):
        program.put("done_codes", "0")
    if program.rank:
        program.put("priority", str(program.rank))
    if program.group:
        program.put("group", program.draft.free_name("group", program.group))


def _unknown(_program: Program, option: Option) -> Verdict:
    return lost(f"Supervisor has no option {option.key}", "look whether it is misspelt")


def _plain(key: str) -> Handler[Program]:
    return lambda program, option: kept(program.put_text(key, option.value))


def _command(program: Program, option: Option) -> Verdict:
    told = [
        program.draft.command(f"watcher:{name}", program.text(option.value, names))
        for name, names in program.watchers
    ]
    return numbered(told[0])


def _process_name(program: Program, _option: Option) -> Verdict:
    if len(program.watchers) > 1:
        return kept("the names of the watchers")
    return changed(f"workers are numbered from {program.watchers[0][0]}.1 on")


def _numprocs(program: Program, option: Option) -> Verdict:
    if len(program.watchers) > 1:
        group = program.group
        return changed(f"a watcher for each, as they differ; circusctl takes all as @{group}")
    if option.value == "1":
        return kept("numprocesses = 1")
    return kept(program.put_text("numprocesses", option.value))


def _numprocs_start(program: Program, _option: Option) -> Verdict:
    if len(program.watchers) > 1:
        return kept("the numbers in the options of its watchers")
    return changed("workers are numbered from 1 on")


def _autorestart(program: Program, option: Option) -> Verdict:
    word = option.value.lower()
    if word == "unexpected":
        return kept("respawn, but not after an end with one of done_codes")
    if word in TRUE:
        return kept("respawn = True, whatever it ended with")
    if word in FALSE:
        said = program.put("respawn", "False")
        return changed(f"{said}, also of one that ends before startsecs")
    raise Unfit(f"{option.value!r} is not true, false or unexpected", "mend it")


def _exitcodes(program: Program, option: Option) -> Verdict:
    if program.value("autorestart", "unexpected").lower() != "unexpected":
        return kept("nothing: they count with autorestart = unexpected only")
    return kept(program.put("done_codes", option.value))


def _startsecs(program: Program, option: Option) -> Verdict:
    seconds = program.number("startsecs", 1)
    if seconds > 0:
        program.put("backoff_reset", option.value)
        return kept(program.put("ready_after", option.value))
    program.put("ready_after", "0")
    said = program.put("max_retry", "-1")
    return changed(f"{said}: no end is too early, but those that follow each other are put off")


def _startretries(program: Program, _option: Option) -> Verdict:
    if program.value("startsecs") == "0":
        return kept("nothing: with startsecs = 0 no end is too early")
    retries = program.number("startretries", 3)
    if retries < 0:
        raise Unfit(f"{retries} is negative", "mend it")
    said = program.put("max_retry", str(retries + 1)) + ", the first start counts too"
    if program.value("autorestart").lower() in FALSE:
        return changed(f"{said}; it is for starts that fail, none that runs is tried again")
    return kept(said)


def _priority(program: Program, option: Option) -> Verdict:
    program.number("priority", 999)
    if option.value and program.rank:
        return changed(f"priority = {program.rank}: here bigger numbers start first")
    return kept("priority = 0, the default")


def _stop_as_group(program: Program, _option: Option) -> Verdict:
    if program.flag("stopasgroup"):
        return kept(program.put("stop_children", "True"))
    return kept("stop_children = False")


def _kill_as_group(program: Program, _option: Option) -> Verdict:
    if program.flag("killasgroup") or program.flag("stopasgroup"):
        return kept("SIGKILL goes to all that a worker has started, always")
    return changed("SIGKILL goes to all that a worker has started, always")


def _environment(program: Program, option: Option) -> Verdict:

    def put(key: str, value: str) -> None:
        for name, names in program.watchers:
            text = program.text(value, names, environment=True)
            program.draft.put(f"env:{name}", key, text)

    put_pairs(option.value, put)
    first = program.watchers[0][0]
    return kept(f"[env:{first}]" + (", and so on" if len(program.watchers) > 1 else ""))


def _socket(program: Program, option: Option) -> Verdict:
    if not program.section.name.startswith("fcgi-"):
        return lost("only an [fcgi-program:x] has it")
    made: dict[str, str] = {}
    for name, names in program.watchers:
        address = program.text(option.value, names)
        if address not in made:
            with program.draft.whole(f"socket:{name}"):
                _one_socket(program, name, address)
            made[address] = name
        program.draft.put(f"watcher:{name}", "stdin_socket", made[address])
    return kept(f"[socket:{program.watchers[0][0]}], the standard input of its workers")


def _one_socket(program: Program, name: str, address: str) -> None:
    draft, section = program.draft, f"socket:{name}"
    kind, _, rest = address.partition("://")
    if kind == "unix" and rest.startswith("/"):
        draft.put(section, "path", rest)
        draft.put(section, "mode", program.value("socket_mode", "700"))
        user = program.value("socket_owner") or program.value("user")
        owner, _, group = user.partition(":")
        for key, value in (("owner", owner), ("group", group)):
            if value:
                draft.put(section, key, program.text(value, {}))
    elif kind == "tcp" and rest.rpartition(":")[1]:
        host, _, port = rest.rpartition(":")
        draft.put(section, "host", host.strip("[]") or "0.0.0.0")  # noqa: S104 as it was asked for
        draft.put(section, "port", port)
        if ":" in host:
            draft.put(section, "family", "AF_INET6")
    else:
        raise Unfit(f"{address!r} is neither unix:///path nor tcp://host:port", "mend it")
    if backlog := program.value("socket_backlog"):
        draft.put(section, "backlog", backlog)


def _of_socket(key: str) -> Handler[Program]:
    def handler(program: Program, option: Option) -> Verdict:
        section = f"socket:{program.watchers[0][0]}"
        if program.draft.has(section, key):
            return kept(f"{key} = {option.value} of the socket")
        if program.draft.has(section, "host"):
            return kept("nothing: it is for a socket with a path")
        return lost("there is no socket that would have it")

    return handler


def _events(program: Program, option: Option) -> Verdict:
    if option.value.lower() in FALSE:
        return kept("nothing: it is off")
    return lost("output is no event here", "a stream class of your own sees each line")


def _server_url(_program: Program, _option: Option) -> Verdict:
    return lost("SUPERVISOR_SERVER_URL is not set", "programs find circusd in CIRCUSCTL_ENDPOINT")


PROGRAM: Mapping[str, Handler[Program]] = {
    "command": _command,
    "process_name": _process_name,
    "numprocs": _numprocs,
    "numprocs_start": _numprocs_start,
    "priority": _priority,
    "autostart": _plain("autostart"),
    "autorestart": _autorestart,
    "exitcodes": _exitcodes,
    "startsecs": _startsecs,
    "startretries": _startretries,
    "stopsignal": _plain("stop_signal"),
    "stopwaitsecs": _plain("graceful_timeout"),
    "stopasgroup": _stop_as_group,
    "killasgroup": _kill_as_group,
    "user": _plain("uid"),
    "directory": _plain("working_dir"),
    "umask": _plain("umask"),
    "environment": _environment,
    "serverurl": _server_url,
    "redirect_stderr": redirect,
    "socket": _socket,
    "socket_backlog": _of_socket("backlog"),
    "socket_owner": _of_socket("owner"),
    "socket_mode": _of_socket("mode"),
    **{
        f"{stream}_{what}": handler
        for stream in ("stdout", "stderr")
        for what, handler in (
            ("logfile", logfile),
            ("logfile_maxbytes", size("max_bytes")),
            ("logfile_backups", size("backup_count")),
            ("capture_maxbytes", _events),
            ("events_enabled", _events),
            ("syslog", syslog),
        )
    },
}
"""What each of them becomes."""
