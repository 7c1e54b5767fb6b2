"""The sections themselves: what can be asked for, one field for one option."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from circus.config import kinds
from circus.config.schema import (
    OnChange,
    Problem,
    cost_between,
    field_of,
    known_names,
    option,
    parse_into,
    section,
    suggestion,
)
from circus.exc import ArgumentError, ConfigError

LIVE = OnChange.NOTHING
HOOKS = (
    "before_start", "after_start", "before_stop", "after_stop", "before_spawn", "after_spawn",
    "before_signal", "after_signal", "before_reap", "after_reap", "extended_stats",
)  # fmt: skip


@section("circus")
class CircusConfig:
    """The daemon itself."""

    endpoint: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint for control; a private ipc:// path unless given.")  # fmt: skip
    pubsub_endpoint: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint on which events are published.")  # fmt: skip
    stats_endpoint: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint on which statistics are published.")  # fmt: skip
    endpoint_owner: str | int | None = option(kinds.IDENTIFIER, default=None,
        on_change=OnChange.RESTART, doc="A user who may do everything.")  # fmt: skip
    multicast_endpoint: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="UDP multicast address for discovery; off unless given.")  # fmt: skip
    statsd: bool | None = option(kinds.BOOLEAN, default=None, on_change=OnChange.RESTART,
        doc="Run the statistics process.")  # fmt: skip
    statsd_close_outputs: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Send the statistics process's output nowhere.")  # fmt: skip
    check_delay: float = option(kinds.NUMBER, default=5.0, on_change=LIVE,
        doc="Seconds; kept for old files and plugins, nothing waits for it.")  # fmt: skip
    include: tuple[str, ...] = option(kinds.PATHS, default=(), on_change=LIVE,
        doc="More files to read; wildcards allowed.")  # fmt: skip
    include_dir: tuple[str, ...] = option(kinds.PATHS, default=(), on_change=LIVE,
        doc="Directories whose *.ini files are read too.")  # fmt: skip
    umask: int | None = option(kinds.OCTAL, default=None, on_change=OnChange.RESTART,
        doc="Octal mask for files that the daemon and its workers make.")  # fmt: skip
    stream_backend: str = option(kinds.TEXT, default="thread", on_change=OnChange.RESTART,
        doc="How output is written: thread or gevent.")  # fmt: skip
    warmup_delay: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="Seconds between the starts of two watchers.")  # fmt: skip
    httpd: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Run the web console.")  # fmt: skip
    httpd_host: str = option(kinds.TEXT, default="localhost", on_change=OnChange.RESTART,
        doc="Address of the web console.")  # fmt: skip
    httpd_port: int = option(kinds.COUNT, default=8080, on_change=OnChange.RESTART,
        doc="Port of the web console.")  # fmt: skip
    httpd_close_outputs: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Send the web console's output nowhere.")  # fmt: skip
    debug: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Show the output of the daemon's own helpers, and log at debug level.")  # fmt: skip
    debug_gc: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Report leaking objects.")  # fmt: skip
    pidfile: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="File that holds the daemon's pid.")  # fmt: skip
    loglevel: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="critical, error, warning, info or debug.")  # fmt: skip
    logoutput: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="A file, - for standard error, or syslog://.")  # fmt: skip
    loggerconfig: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="Configuration file of Python's logging.")  # fmt: skip
    fqdn_prefix: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="Prefix of the daemon's own name.")  # fmt: skip
    respawn: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Default of the watchers' respawn.")  # fmt: skip
    strict: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Treat warnings about this configuration as errors.")  # fmt: skip


@section("watcher")
class WatcherConfig:
    """One command, run as a number of workers."""

    name: str
    cmd: str = option(kinds.COMMAND, role="admin", doc="The program to run.")
    args: str | tuple[str, ...] = option(kinds.WORDS, default="", role="admin",
        doc="More arguments; split as a POSIX shell would.")  # fmt: skip
    executable: str | None = option(kinds.TEXT, default=None, role="admin",
        doc="The file to execute when it is not the first word of cmd.")  # fmt: skip
    shell: bool = option(kinds.BOOLEAN, default=False, role="admin",
        doc="Run cmd by /bin/sh -c, as written.")  # fmt: skip
    shell_args: str | tuple[str, ...] = option(kinds.WORDS, default="", role="admin",
        doc="Positional parameters for the shell.")  # fmt: skip
    working_dir: str | None = option(kinds.TEXT, default=None,
        doc="Directory to run in; the daemon's own unless given.")  # fmt: skip
    uid: str | int | None = option(kinds.IDENTIFIER, default=None, role="admin",
        doc="User to run as, by name or number.")  # fmt: skip
    gid: str | int | None = option(kinds.IDENTIFIER, default=None, role="admin",
        doc="Group to run as; the user's primary group unless given.")  # fmt: skip
    supplementary_groups: tuple[str, ...] | None = option(kinds.NAMES, default=None, role="admin",
        doc="Further groups; those of the user unless given.")  # fmt: skip
    copy_env: bool = option(kinds.BOOLEAN, default=False,
        doc="Start from the daemon's environment instead of an empty one.")  # fmt: skip
    copy_path: bool = option(kinds.BOOLEAN, default=False,
        doc="Pass the daemon's module path as PYTHONPATH; needs copy_env.")  # fmt: skip
    env: Mapping[str, str] = option(kinds.ENVIRONMENT, default={}, role="admin",
        doc="Variables; in files, use [env:NAME] sections.")  # fmt: skip
    env_file: tuple[str, ...] = option(kinds.PATHS, default=(), role="admin",
        doc="Files of variables as systemd's EnvironmentFile, read at every start; "
        "a leading - lets one be missing.")  # fmt: skip
    numprocesses: int = option(kinds.COUNT, default=1, on_change=OnChange.RECONCILE,
        doc="How many workers to keep running.")  # fmt: skip
    warmup_delay: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="Seconds between the starts of two workers.")  # fmt: skip
    autostart: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Start with the daemon.")  # fmt: skip
    respawn: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Start another worker when one ends.")  # fmt: skip
    priority: int = option(kinds.INTEGER, default=0, on_change=LIVE,
        doc="Bigger numbers start first and stop last.")  # fmt: skip
    singleton: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RECONCILE,
        doc="Never more than one worker.")  # fmt: skip
    group: str | None = option(kinds.TEXT, default=None, on_change=LIVE,
        doc="Name of a group of watchers to act on together.")  # fmt: skip
    rlimits: Mapping[str, tuple[int | None, int | None]] = option(kinds.LIMIT, default={},
        prefix="rlimit_", doc="A resource limit: a number, unlimited, or soft:hard.")  # fmt: skip
    umask: int | None = option(kinds.OCTAL, default=None,
        doc="Octal mask for files that workers make.")  # fmt: skip
    nice: int | None = option(kinds.INTEGER, default=None,
        doc="Scheduling priority, -20 to 19.")  # fmt: skip
    no_new_privileges: bool = option(kinds.BOOLEAN, default=False,
        doc="Workers can gain nothing by executing setuid programs.")  # fmt: skip
    parent_death_signal: int | None = option(kinds.SIGNAL, default=None,
        doc="Signal that a worker gets when the daemon dies.")  # fmt: skip
    stdout_stream: Mapping[str, str] = option(kinds.TEXT, default={}, prefix="stdout_stream.",
        role="admin", doc="Where standard output goes: class, filename, and so on.")  # fmt: skip
    stderr_stream: Mapping[str, str] = option(kinds.TEXT, default={}, prefix="stderr_stream.",
        role="admin", doc="Where standard error goes.")  # fmt: skip
    stdin_socket: str | None = option(kinds.TEXT, default=None,
        doc="Socket that workers find as standard input.")  # fmt: skip
    close_child_stdin: bool = option(kinds.BOOLEAN, default=True,
        doc="Standard input is /dev/null.")  # fmt: skip
    close_child_stdout: bool = option(kinds.BOOLEAN, default=False,
        doc="Standard output is /dev/null.")  # fmt: skip
    close_child_stderr: bool = option(kinds.BOOLEAN, default=False,
        doc="Standard error is /dev/null.")  # fmt: skip
    send_hup: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Reload by sending SIGHUP to the workers.")  # fmt: skip
    stop_signal: int = option(kinds.SIGNAL, default=15, on_change=LIVE,
        doc="Signal that asks a worker to end.")  # fmt: skip
    stop_children: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Send the stop signal to a worker's children too.")  # fmt: skip
    graceful_timeout: float = option(kinds.SECONDS, default=30.0, on_change=LIVE,
        doc="Wait this long before SIGKILL.")  # fmt: skip
    max_retry: int = option(kinds.INTEGER, default=5, on_change=LIVE,
        doc="Failures in a row after which a worker is given up; -1 for never.")  # fmt: skip
    backoff_delay: float = option(kinds.SECONDS, default=0.1, on_change=LIVE,
        doc="Wait before the second start in a row that is needed.")  # fmt: skip
    backoff_factor: float = option(kinds.NUMBER, default=2.0, on_change=LIVE,
        doc="Each further wait is this much longer.")  # fmt: skip
    backoff_max: float = option(kinds.SECONDS, default=60.0, on_change=LIVE,
        doc="The longest wait.")  # fmt: skip
    backoff_jitter: float = option(kinds.NUMBER, default=0.1, on_change=LIVE,
        doc="Up to this share of a wait is added by chance.")  # fmt: skip
    backoff_reset: float = option(kinds.SECONDS, default=10.0, on_change=LIVE,
        doc="A worker that ran this long has no failures behind it.")  # fmt: skip
    ready_after: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="A worker counts as ready once it has run this long.")  # fmt: skip
    max_age: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="Replace a worker at this age; 0 for never.")  # fmt: skip
    max_age_variance: float = option(kinds.SECONDS, default=30.0, on_change=LIVE,
        doc="Up to this much is added to max_age, by chance, for each worker.")  # fmt: skip
    use_sockets: bool = option(kinds.BOOLEAN, default=False,
        doc="Hand over the sockets that the command names.")  # fmt: skip
    sockets: tuple[str, ...] = option(kinds.NAMES, default=(),
        doc="Sockets to hand over.")  # fmt: skip
    on_demand: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Start at the first connection to one of its sockets.")  # fmt: skip
    hooks: Mapping[str, tuple[Any, bool]] = option(kinds.HOOK, default={}, prefix="hooks.",
        role="admin", on_change=LIVE, doc="Function to call: dotted name, then whether its "
        "failure is ignored.")  # fmt: skip
    virtualenv: str | None = option(kinds.TEXT, default=None,
        doc="Virtual environment to run in; needs copy_env.")  # fmt: skip
    virtualenv_py_ver: str | None = option(kinds.TEXT, default=None,
        doc="Its Python version, when it is not the daemon's.")  # fmt: skip
    after: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Start after these watchers have been started.")  # fmt: skip
    requires: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Start only while these watchers are active.")  # fmt: skip
    check_flapping: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Accepted for old files; unused.")  # fmt: skip
    extra: Mapping[str, str] = field(default_factory=dict)


@section("socket")
class SocketConfig:
    """A listening socket that the daemon holds for its workers."""

    name: str
    host: str = option(kinds.TEXT, default="localhost", doc="Address or name to bind.")
    port: int = option(kinds.COUNT, default=8080, doc="Port to bind; 0 for any.")
    family: str = option(kinds.TEXT, default="AF_INET", doc="AF_INET, AF_INET6 or AF_UNIX.")
    type: str = option(kinds.TEXT, default="SOCK_STREAM", doc="SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, "
        "SOCK_RDM or SOCK_SEQPACKET.")  # fmt: skip
    proto: str | None = option(kinds.TEXT, default=None, doc="Protocol, by name.")
    backlog: int = option(kinds.COUNT, default=2048, doc="Connections that may wait.")
    path: str | None = option(kinds.TEXT, default=None, doc="Path of a Unix socket.")
    umask: int | None = option(kinds.OCTAL, default=None, doc="Octal mask for the path's mode.")
    replace: bool = option(kinds.BOOLEAN, default=False, doc="Remove an existing socket first.")
    interface: str | None = option(kinds.TEXT, default=None, doc="Network interface to bind to.")
    so_reuseport: bool = option(kinds.BOOLEAN, default=False, doc="One socket for each worker.")
    blocking: bool = option(kinds.BOOLEAN, default=False, doc="Leave the socket blocking.")
    owner: str | int | None = option(kinds.IDENTIFIER, default=None, doc="Owner of the path.")
    group: str | int | None = option(kinds.IDENTIFIER, default=None, doc="Group of the path.")
    mode: int | None = option(kinds.OCTAL, default=None, doc="Octal mode of the path.")
    extra: Mapping[str, str] = field(default_factory=dict)


@section("plugin")
class PluginConfig:
    """A class that is run in a process of its own; every other key is the class's."""

    name: str
    use: str = option(kinds.TEXT, doc="Dotted name of the plugin's class.")
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that one file, with what it includes, asks for. Keys are lower-case names."""

    circus: CircusConfig
    watchers: Mapping[str, WatcherConfig]
    sockets: Mapping[str, SocketConfig]
    plugins: Mapping[str, PluginConfig]
    path: str | None = None


def watcher_rules(config: WatcherConfig) -> list[tuple[str, str]]:
    """What does not go together within one watcher: (option, what is wrong)."""
    found = []
    if config.singleton and config.numprocesses > 1:
        found.append(("numprocesses", "a singleton cannot have numprocesses above 1"))
    if config.copy_path and not config.copy_env:
        found.append(("copy_path", "copy_path needs copy_env = True"))
    if config.virtualenv and not config.copy_env:
        found.append(("virtualenv", "virtualenv needs copy_env = True"))
    found += [
        (f"hooks.{name}", f"unknown hook {name!r}{suggestion(name, HOOKS)}")
        for name in config.hooks
        if name not in HOOKS
    ]
    for stream in ("stdout_stream", "stderr_stream"):
        conf = getattr(config, stream)
        if conf and "class" not in conf and "filename" not in conf and "stream" not in conf:
            found.append((f"{stream}.{next(iter(conf))}", f"{stream} needs a class or a filename"))
    return found


def watcher_from_mapping(name: str, given: Mapping[str, object]) -> WatcherConfig:
    """A watcher from values or text, as `add` and the library give them. Raises ConfigError."""
    flat = _flatten(given)
    values, extra, problems = parse_into(WatcherConfig, flat, lambda key: f"watcher {name!r}")
    where = f"watcher {name!r}"
    if not name.strip():
        problems.append(Problem("", "a watcher needs a name"))
    if "cmd" not in values and not any("cmd:" in problem.message for problem in problems):
        problems.append(Problem(where, "cmd is missing"))
    if problems:
        raise ConfigError(problems)
    config = WatcherConfig(name=name, extra=extra, **values)
    problems = [Problem(where, message) for _, message in watcher_rules(config)]
    if problems:
        raise ConfigError(problems)
    return config


def changed(config: WatcherConfig, given: Mapping[str, object]) -> WatcherConfig:
    """The same with other values; all of them or, when one is wrong, ArgumentError."""
    flat = _flatten(given)
    values, extra, problems = parse_into(WatcherConfig, flat, lambda key: "")
    unknown = [key for key in extra if key not in config.extra]
    messages = [str(problem) for problem in problems]
    messages += [
        f"unknown key {key!r}{suggestion(key, known_names(WatcherConfig))}" for key in unknown
    ]
    if messages:
        raise ArgumentError("; ".join(messages))
    for name, value in values.items():
        if isinstance(value, dict) and name != "env":
            values[name] = {**getattr(config, name), **value}
    wanted = dataclasses.replace(config, extra={**config.extra, **extra}, **values)
    wrong = [message for _, message in watcher_rules(wanted)]
    if wrong:
        raise ArgumentError("; ".join(wrong))
    return wanted


def _flatten(given: Mapping[str, object]) -> dict[str, object]:
    """`{"stdout_stream": {"class": …}}` as the keys of a file; nothing for None."""
    flat: dict[str, object] = {}
    for key, value in given.items():
        family = {"stdout_stream": "stdout_stream.", "stderr_stream": "stderr_stream.",
                  "hooks": "hooks.", "rlimits": "rlimit_"}.get(key)  # fmt: skip
        if family is None:
            if value is not None or key.startswith("rlimit_"):
                flat[key] = value
        elif isinstance(value, Mapping):
            flat.update({f"{family}{name}": item for name, item in value.items()})
        elif value is not None:
            flat[key] = value
    return flat


def options_of(config: WatcherConfig) -> dict[str, Any]:
    """Every option as JSON, under the keys that a file uses."""
    found: dict[str, Any] = {}
    for one in dataclasses.fields(config):
        meta = one.metadata
        if "kind" not in meta:
            continue
        value = getattr(config, one.name)
        if meta["prefix"]:
            for key, item in value.items():
                found[f"{meta['prefix']}{key}"] = meta["kind"].format(item)
        else:
            found[one.name] = None if value is None else meta["kind"].format(value)
    for stream in ("stdout_stream", "stderr_stream"):
        found[f"{stream}_conf"] = dict(getattr(config, stream)) or None
    found.update(config.extra)
    return dict(sorted(found.items()))


def is_option(key: str) -> bool:
    """Whether `key` names an option of a watcher."""
    return field_of(WatcherConfig, key) is not None


def cost(old: WatcherConfig, new: WatcherConfig) -> OnChange:
    """What it costs to go from one to the other."""
    return cost_between(old, new)
