"""What becomes of each directive of [Service]."""

from __future__ import annotations

import contextlib
import re
import resource
from functools import partial
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.files import beside
from circus.importers.report import Handler, Option, Verdict, changed, decide, kept, lost
from circus.importers.systemd import commands
from circus.importers.systemd.lost import verdict_on
from circus.importers.systemd.restart import (
    burst,
    forced,
    prevented,
    restart,
    restart_defaults,
    restart_sec,
    runtime,
    runtime_extra,
    success,
)
from circus.importers.systemd.service import MADE, Service
from circus.importers.systemd.streams import standard_error, standard_input, standard_output
from circus.importers.systemd.text import is_true, number, seconds, size, words

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""What systemd gives to every service of the system."""
STOP_SEC = "90"
NOFILE = "1024:unlimited"
"""Descriptors that a program may open unless it raises its limit itself; circusd has more."""
FOR_EVER = 10**9
"""Seconds that nobody waits for."""
OF_TIME = ("cpu", "rttime")
MICROSECONDS = ("rttime",)
OLD_SHARES = 1024
"""Of a unit that does not say, where the present scale has 100."""


def _plain(key: str) -> Handler[Service]:
    return lambda service, option: kept(service.put_text(key, option.value))


def _type(_service: Service, option: Option) -> Verdict:
    word = option.value
    if word in ("simple", "exec", "idle"):
        return kept("a worker is ready when it runs")
    if word == "oneshot":
        return kept("it is started once")
    if word == "forking":
        return decide(
            "circusd takes a program that goes to the background for one that has ended",
            "change the command so that it stays in the foreground",
        )
    say = "what a worker tells systemd of itself is not heard"
    return changed(say, "ready_after = SECONDS tells from when on it is ready")


def _remain(_service: Service, option: Option) -> Verdict:
    if is_true(option.value):
        return changed("the watcher stays, with a worker that has ended")
    return kept("nothing: it is off")


def _user(service: Service, option: Option) -> Verdict:
    said = service.put_text("uid", option.value)
    for name in ("USER", "LOGNAME"):
        with contextlib.suppress(Unfit):
            service.put_variable(name, service.user_name)
    try:
        service.put_variable("HOME", service.home)
    except Unfit as error:
        return changed(said, f"{error}: set HOME, if it needs that")
    return kept(f"{said}, with USER, LOGNAME and HOME")


def _dynamic(_service: Service, option: Option) -> Verdict:
    if not is_true(option.value):
        return kept("nothing: it is off")
    return decide("circusd makes no users, this runs as root", "make one, and name it in uid")


def _groups(service: Service, option: Option) -> Verdict:
    names = [
        name
        for one in service.unit.options("Service", "SupplementaryGroups")
        for name in one.value.split()
    ]
    said = service.put_text("supplementary_groups", ", ".join(names))
    return changed(said, f"add the other groups of {service.value('User') or 'root'}, if needed")


def _working_dir(service: Service, option: Option) -> Verdict:
    path = option.value.removeprefix("-")
    if path == "~":
        said = service.put("working_dir", service.home)
    else:
        said = service.put_text("working_dir", path)
    if option.value[:1] == "-":
        return changed(f"{said}; it has to be there")
    return kept(said)


def _env_file(service: Service, option: Option) -> Verdict:
    files = [one.value for one in service.unit.options("Service", "EnvironmentFile")]
    if any(one in option.value for one in " \t*?["):
        raise Unfit("env_file takes neither blanks nor wildcards in a path", "name each file")
    taken = [one for one in files if not any(char in one for char in " \t*?[")]
    return kept(service.put_text("env_file", " ".join(taken)))


def _pass_environment(service: Service, option: Option) -> Verdict:
    for name in option.value.split():
        value = f"${name}" if re.fullmatch(r"[A-Z]+[A-Z0-9_]*", name) else f"$(circus.env.{name})"
        service.put_variable(name, partial(_always, value))
    return kept(f"[env:{service.name}], from the environment of circusd")


def _always(value: str, _names: Mapping[str, object]) -> str:
    return value


def _timeout_stop(service: Service, option: Option) -> Verdict:
    wait = seconds(option.value)
    if wait is None or wait == 0:
        return changed(service.put("graceful_timeout", str(FOR_EVER)))
    return kept(service.put("graceful_timeout", number(wait)))


def _timeout(service: Service, option: Option) -> Verdict:
    if service.value("TimeoutStopSec"):  # it stands below, or it would not count
        return changed("nothing: circusd waits for no start, and TimeoutStopSec counts for stops")
    verdict = _timeout_stop(service, option)
    return changed(f"{verdict.became}, for stops; circusd waits for no start")


def _timeout_start(_service: Service, _option: Option) -> Verdict:
    return changed("not needed: a worker that has been started is not waited for")


def _kill_mode(service: Service, option: Option) -> Verdict:
    word = option.value
    if word in ("control-group", ""):
        return kept(service.put("stop_children", "True"))
    if word == "mixed":
        return kept("the stop signal goes to the worker, SIGKILL to all that it has started")
    say = "what a worker has started ends with it, always"
    return decide(say, "leave the unit to systemd, if something has to live on")


def _limit(name: str) -> Handler[Service]:
    def handler(service: Service, option: Option) -> Verdict:
        ends = [_one_limit(name, part) for part in option.value.split(":")]
        return kept(service.put(f"rlimit_{name}", ":".join(ends)))

    return handler


def _one_limit(name: str, text: str) -> str:
    text = text.strip()
    if text.lower() == "infinity":
        return "unlimited"
    if name in OF_TIME:
        span = float(text) * 1e-6 if name in MICROSECONDS and text.isdecimal() else seconds(text)
        return "unlimited" if span is None else f"{span * (1e6 if name in MICROSECONDS else 1):.0f}"
    if name == "nice" and re.fullmatch(r"[+-][0-9]+", text):
        return str(20 - int(text))
    return size(text)  # K and M go with numbers of things too


def _memory(key: str) -> Handler[Service]:
    def handler(service: Service, option: Option) -> Verdict:
        if option.value.endswith("%"):
            raise Unfit("a part of the machine's memory", "write how much that is")
        return kept(service.put(key, size(option.value)))

    return handler


def _cpu_quota(service: Service, option: Option) -> Verdict:
    return kept(service.put("cpu_quota", option.value or "infinity"))


def _weight(key: str) -> Handler[Service]:
    return lambda service, option: kept(service.put(key, option.value))


def _shares(service: Service, option: Option) -> Verdict:
    if not option.value.isdecimal():
        raise Unfit(f"{option.value!r} is not a number", "mend it")
    weight = min(max(int(option.value) * 100 // OLD_SHARES, 1), 10000)
    return changed(service.put("cpu_weight", str(weight)))


def _tasks(service: Service, option: Option) -> Verdict:
    if option.value.endswith("%"):
        raise Unfit("a part of all tasks", "write how many that is")
    return kept(service.put("tasks_max", option.value))


def _switch(key: str) -> Handler[Service]:
    def handler(service: Service, option: Option) -> Verdict:
        return kept(service.put(key, str(is_true(option.value))))

    return handler


def _watchdog(_service: Service, option: Option) -> Verdict:
    if seconds(option.value) == 0:
        return kept("nothing: it is off")
    say = "workers that fall silent are not noticed, and WATCHDOG_USEC is not set"
    return decide(say, "the plugins watchdog and http_observer do such things, docs/plugins.md")


def _capabilities(_service: Service, option: Option) -> Verdict:
    if "CAP_NET_BIND_SERVICE" in option.value:
        say = "workers have the rights of their user only"
        return decide(say, "a [socket:NAME] of circusd may have a port below 1024")
    return verdict_on(option.key, option.value)


def _sockets(service: Service, option: Option) -> Verdict:
    path = service.unit.path
    missing = [name for name in option.value.split() if beside(path, name) is None]
    if missing:
        say = "the sockets of the units that are beside this one"
        return decide(say, f"import again with {' '.join(missing)} beside it")
    return kept("the sockets of these units")


def _folder(service: Service, option: Option) -> Verdict:
    """A folder that systemd makes, and tells of in the environment."""
    base = MADE[option.key.removesuffix("Directory")]
    paths = [f"{base}/{word.partition(':')[0]}" for word in words(option.value)]
    variable = f"{option.key.removesuffix('Directory').upper()}_DIRECTORY"
    service.put_variable(variable, lambda names: service.text(":".join(paths), names))
    user = service.value("User") or "root"
    say = f"{variable} is set, but circusd makes no folders"
    all_paths = [service.text(path, names) for path in paths for _, names in service.watchers]
    wanted = " ".join(dict.fromkeys(all_paths))
    return decide(say, f"make {wanted} with systemd-tmpfiles, for {user}")


SERVICE: Mapping[str, Handler[Service]] = {
    "Type": _type,
    "RemainAfterExit": _remain,
    "ExecStart": commands.start,
    "ExecStartPre": commands.before_start,
    "ExecStartPost": commands.by_hook,
    "ExecReload": commands.reload,
    "ExecStop": commands.stop,
    "ExecStopPost": commands.by_hook,
    "ExecCondition": commands.by_hook,
    "Environment": commands.environment,
    "EnvironmentFile": _env_file,
    "PassEnvironment": _pass_environment,
    "User": _user,
    "Group": _plain("gid"),
    "SupplementaryGroups": _groups,
    "DynamicUser": _dynamic,
    "WorkingDirectory": _working_dir,
    "UMask": _plain("umask"),
    "Nice": _plain("nice"),
    "NoNewPrivileges": _switch("no_new_privileges"),
    "Restart": restart,
    "RestartSec": restart_sec,
    "StartLimitBurst": burst,
    "StartLimitInterval": burst,
    "StartLimitIntervalSec": burst,
    "SuccessExitStatus": success,
    "RestartPreventExitStatus": prevented,
    "RestartForceExitStatus": forced,
    "RuntimeMaxSec": runtime,
    "RuntimeRandomizedExtraSec": runtime_extra,
    "KillMode": _kill_mode,
    "KillSignal": _plain("stop_signal"),
    "TimeoutStopSec": _timeout_stop,
    "TimeoutStartSec": _timeout_start,
    "TimeoutSec": _timeout,
    "StandardInput": standard_input,
    "StandardOutput": standard_output,
    "StandardError": standard_error,
    "SyslogIdentifier": lambda service, _option: changed(
        f"the journal has it as {service.name}, of the unit circus.service"
    ),
    "MemoryMax": _memory("memory_max"),
    "MemoryLimit": _memory("memory_max"),
    "MemoryHigh": _memory("memory_high"),
    "CPUQuota": _cpu_quota,
    "CPUWeight": _weight("cpu_weight"),
    "CPUShares": _shares,
    "IOWeight": _weight("io_weight"),
    "TasksMax": _tasks,
    "WatchdogSec": _watchdog,
    "AmbientCapabilities": _capabilities,
    "CapabilityBoundingSet": _capabilities,
    "Sockets": _sockets,
    **{f"{kind}Directory": _folder for kind in MADE},
    **{
        name.replace("RLIMIT_", "Limit"): _limit(name.removeprefix("RLIMIT_").lower())
        for name in dir(resource)
        if name.startswith("RLIMIT_")
    },
    "LimitLOCKS": lambda _service, _option: lost("Linux has had no such limit for long"),
}
"""Those that have a counterpart; what is said of all others stands in `lost`."""


def other(_service: Service, option: Option) -> Verdict:
    """A directive without a counterpart."""
    return verdict_on(option.key, option.value)


def finish(service: Service) -> None:
    """What systemd does with a service that does not say otherwise."""
    with contextlib.suppress(Unfit):  # which is told where it is written
        restart_defaults(service)
    defaults = {
        "stop_children": ("True", ("KillMode",)),
        "graceful_timeout": (STOP_SEC, ("TimeoutStopSec", "TimeoutSec")),
        "working_dir": ("/", ("WorkingDirectory",)),
        "rlimit_nofile": (NOFILE, ("LimitNOFILE",)),
    }
    for key, (value, unless) in defaults.items():
        if not any(service.value(one) for one in unless):
            service.put(key, value)
    for name, value in (("PATH", PATH), ("LANG", "$LANG")):
        if not service.draft.has(f"env:{service.name}", name):
            service.put_variable(name, partial(_always, value))
    if service.sockets:
        service.put("sockets", ", ".join(service.sockets))
    if service.on_demand:
        service.put("on_demand", "True")
    elif service.timer and not service.installed:
        service.put("autostart", "False")
