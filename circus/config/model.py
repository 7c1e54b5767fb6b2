"""The sections themselves: what can be asked for, one field for one option."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circus.access import Role
from circus.config import kinds
from circus.config.schema import OnChange, free_keys, option, section

LIVE = OnChange.NOTHING
SYSTEM_KEYS = "/etc/circus/curve"
ADMIN = Role.ADMIN
"""For what decides which code runs, as whom, with what in its hands, and where output goes."""
REBIND = OnChange.RESTART
"""Another socket has to be bound; who uses it moves to that one."""


def both_are_read(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether circusd reads what goes to either stream: then it can lead it to the other."""
    return all(stream and stream.get("mode") != "direct" for stream in (before, after))


@section
class CircusConfig:
    """The daemon itself."""

    endpoint: str | None = option(kinds.ENDPOINT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint for control; a private ipc:// path unless given.")  # fmt: skip
    pubsub_endpoint: str | None = option(kinds.ENDPOINT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint on which events are published.")  # fmt: skip
    stats_endpoint: str | None = option(kinds.ENDPOINT, default=None, on_change=OnChange.RESTART,
        doc="ZeroMQ endpoint on which statistics are published.")  # fmt: skip
    endpoint_owner: str | int | None = option(kinds.IDENTIFIER, default=None,
        on_change=OnChange.RESTART, doc="A user who may do everything, and owns the sockets of "
        "an ipc:// endpoint; what it adds runs as itself.")  # fmt: skip
    read_users: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Users who may look at everything, or * for everybody.")  # fmt: skip
    read_groups: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Groups whose members may.")  # fmt: skip
    operate_users: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Users who may start and stop, and add what runs as themselves.")  # fmt: skip
    operate_groups: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Groups whose members may.")  # fmt: skip
    admin_users: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Users who may do everything; root and circusd's own user always may.")  # fmt: skip
    admin_groups: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        doc="Groups whose members may.")  # fmt: skip
    curve: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Let in only those with a known key, where an endpoint is tcp://.")  # fmt: skip
    curve_keys: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="Folder of the keys; `curve` beside this file unless given.")  # fmt: skip
    event_history: int = option(kinds.COUNT, default=1000, on_change=OnChange.RESTART,
        doc="Events that are kept for those who missed some.")  # fmt: skip
    multicast_endpoint: str | None = option(kinds.MULTICAST, default=None,
        on_change=OnChange.RESTART, doc="UDP address for discovery; off unless given.")  # fmt: skip
    ssh_server: str | None = option(kinds.SSH_SERVER, default=None, on_change=LIVE,
        doc="Have plugins and circusd-stats reach circusd through ssh to this server.")  # fmt: skip
    statsd: bool | None = option(kinds.BOOLEAN, default=None, on_change=OnChange.RESTART,
        doc="Run circusd-stats; on when there is a stats_endpoint.")  # fmt: skip
    statsd_close_outputs: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Send the output of circusd-stats nowhere, unless debug is on.")  # fmt: skip
    commands: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=OnChange.RESTART,
        doc="Modules with commands of your own, imported by circusd.")  # fmt: skip
    check_delay: float = option(kinds.NUMBER, default=5.0, on_change=LIVE,
        doc="Seconds; kept for old files and plugins, nothing waits for it.")  # fmt: skip
    include: tuple[str, ...] = option(kinds.PATHS, default=(), on_change=LIVE,
        doc="More files to read; wildcards allowed.")  # fmt: skip
    include_dir: tuple[str, ...] = option(kinds.PATHS, default=(), on_change=LIVE,
        doc="Directories whose *.ini files are read too.")  # fmt: skip
    umask: int | None = option(kinds.UMASK, default=None, on_change=OnChange.RESTART,
        doc="Octal mask for files that the daemon and its workers make.")  # fmt: skip
    stream_backend: str = option(kinds.BACKEND, default="thread", on_change=OnChange.RESTART,
        doc="What streams that may block are called in: threads, or greenlets.")  # fmt: skip
    warmup_delay: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="Seconds between the starts of two watchers.")  # fmt: skip
    httpd: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Run the web console.")  # fmt: skip
    httpd_host: str = option(kinds.TEXT, default="localhost", on_change=OnChange.RESTART,
        doc="Address of the web console.")  # fmt: skip
    httpd_port: int = option(kinds.PORT, default=8080, on_change=OnChange.RESTART,
        doc="Port of the web console.")  # fmt: skip
    httpd_user: str | int | None = option(kinds.IDENTIFIER, default=None,
        on_change=OnChange.RESTART, doc="User to run the web console as; circus-console when "
        "circusd is root, and else circusd's own.")  # fmt: skip
    httpd_close_outputs: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Send the web console's output nowhere.")  # fmt: skip
    debug: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Show on circusd's output what helpers and plugins say, at debug level.")  # fmt: skip
    debug_gc: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RESTART,
        doc="Report leaking objects.")  # fmt: skip
    pidfile: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="File that holds the daemon's pid.")  # fmt: skip
    loglevel: str | None = option(kinds.LEVEL, default=None, on_change=LIVE,
        doc="How much the daemon logs; info unless given.")  # fmt: skip
    logoutput: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="A file, - for standard error, or syslog://.")  # fmt: skip
    journal: bool | None = option(kinds.BOOLEAN, default=None, on_change=LIVE,
        doc="Send workers' output that has no stream to the journal; where circusd's own "
        "goes there, unless given.")  # fmt: skip
    loggerconfig: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="Configuration file of Python's logging.")  # fmt: skip
    fqdn_prefix: str | None = option(kinds.TEXT, default=None, on_change=OnChange.RESTART,
        doc="Prefix of the daemon's own name.")  # fmt: skip
    respawn: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Default of the watchers' respawn.")  # fmt: skip
    strict: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Treat warnings about this configuration as errors.")  # fmt: skip


@section
class WatcherConfig:
    """One command, run as a number of workers."""

    name: str
    cmd: str = option(kinds.COMMAND, role=ADMIN, doc="The program to run.")
    args: str | tuple[str, ...] = option(kinds.WORDS, default="", role=ADMIN,
        doc="More arguments; split as a POSIX shell would.")  # fmt: skip
    executable: str | None = option(kinds.TEXT, default=None, role=ADMIN,
        doc="The file to execute when it is not the first word of cmd.")  # fmt: skip
    shell: bool = option(kinds.BOOLEAN, default=False, role=ADMIN,
        doc="Run cmd by /bin/sh -c, as written.")  # fmt: skip
    shell_args: str | tuple[str, ...] = option(kinds.WORDS, default="", role=ADMIN,
        doc="Positional parameters for the shell.")  # fmt: skip
    working_dir: str | None = option(kinds.TEXT, default=None,
        role=ADMIN, doc="Directory to run in; the daemon's own unless given.")  # fmt: skip
    uid: str | int | None = option(kinds.IDENTIFIER, default=None, role=ADMIN,
        doc="User to run as, by name or number.")  # fmt: skip
    gid: str | int | None = option(kinds.IDENTIFIER, default=None, role=ADMIN,
        doc="Group to run as; the user's primary group unless given.")  # fmt: skip
    supplementary_groups: tuple[str, ...] | None = option(kinds.NAMES, default=None, role=ADMIN,
        doc="Further groups; those of the user unless given.")  # fmt: skip
    copy_env: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Start from the daemon's environment instead of an empty one.")  # fmt: skip
    copy_path: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Pass the daemon's module path as PYTHONPATH; needs copy_env.")  # fmt: skip
    env: Mapping[str, str] = option(kinds.ENVIRONMENT, default={}, role=ADMIN,
        doc="Variables; in files, use [env:NAME] sections.")  # fmt: skip
    env_file: tuple[str, ...] = option(kinds.PATHS, default=(), role=ADMIN,
        doc="Files of variables as systemd's EnvironmentFile, read at every start; "
        "a leading - lets one be missing. They go before the [env:NAME] sections.")  # fmt: skip
    numprocesses: int = option(kinds.COUNT, default=1, on_change=OnChange.RECONCILE,
        doc="How many workers to keep running.")  # fmt: skip
    warmup_delay: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="Seconds between the starts of two workers.")  # fmt: skip
    autostart: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Start with the daemon.")  # fmt: skip
    respawn: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Start another worker when one ends.")  # fmt: skip
    done_codes: tuple[int, ...] = option(kinds.CODES, default=(), on_change=LIVE,
        doc="Exit codes that say that the work is done: no other worker is started.")  # fmt: skip
    priority: int = option(kinds.INTEGER, default=0, on_change=LIVE,
        doc="Bigger numbers start first and stop last.")  # fmt: skip
    singleton: bool = option(kinds.BOOLEAN, default=False, on_change=OnChange.RECONCILE,
        doc="Never more than one worker.")  # fmt: skip
    group: str | None = option(kinds.TEXT, default=None, on_change=LIVE,
        doc="Name of a group of watchers to act on together.")  # fmt: skip
    rlimits: Mapping[str, tuple[int | None, int | None]] = option(kinds.LIMIT, default={},
        prefix="rlimit_", role=ADMIN,
        doc="A resource limit: a number, unlimited, or soft:hard.")  # fmt: skip
    memory_max: int | None = option(kinds.SIZE_IN_BYTES, default=None, on_change=LIVE,
        role=ADMIN, doc="Memory that each worker may have with all that it starts; one that "
        "needs more is killed. Like the next five it takes a control group.")  # fmt: skip
    memory_high: int | None = option(kinds.SIZE_IN_BYTES, default=None, on_change=LIVE,
        role=ADMIN, doc="Memory above which a worker is slowed down, and has to give some "
        "back.")  # fmt: skip
    cpu_quota: float | None = option(kinds.PROCESSOR, default=None, on_change=LIVE,
        role=ADMIN, doc="Processor time that each worker may have, in parts of one "
        "processor.")  # fmt: skip
    cpu_weight: int | None = option(kinds.WEIGHT, default=None, on_change=LIVE,
        role=ADMIN, doc="Share where several want the processor; 100 unless given.")  # fmt: skip
    tasks_max: int | None = option(kinds.TASKS, default=None, on_change=LIVE,
        role=ADMIN, doc="Processes and threads that each worker may have.")  # fmt: skip
    io_weight: int | None = option(kinds.WEIGHT, default=None, on_change=LIVE,
        role=ADMIN, doc="Share where several want a disk; 100 unless given.")  # fmt: skip
    umask: int | None = option(kinds.UMASK, default=None,
        role=ADMIN, doc="Octal mask for files that workers make.")  # fmt: skip
    nice: int | None = option(kinds.NICE, default=None,
        role=ADMIN, doc="How willingly workers leave the processor to others.")  # fmt: skip
    no_new_privileges: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Workers can gain nothing by executing setuid programs.")  # fmt: skip
    parent_death_signal: int | None = option(kinds.SIGNAL, default=None,
        doc="Signal that a worker gets when the daemon dies.")  # fmt: skip
    stdout_stream: Mapping[str, Any] = option(kinds.ANYTHING, default={}, prefix="stdout_stream.",
        role=ADMIN, spares=both_are_read, doc="Where standard output goes: class, filename, and "
        "so on. From one stream to another costs no worker.")  # fmt: skip
    stderr_stream: Mapping[str, Any] = option(kinds.ANYTHING, default={}, prefix="stderr_stream.",
        role=ADMIN, spares=both_are_read, doc="Where standard error goes; the same.")  # fmt: skip
    stdin_socket: str | None = option(kinds.TEXT, default=None,
        role=ADMIN, doc="Socket that workers find as standard input.")  # fmt: skip
    close_child_stdin: bool = option(kinds.BOOLEAN, default=True,
        role=ADMIN, doc="Standard input is /dev/null.")  # fmt: skip
    close_child_stdout: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Standard output is /dev/null.")  # fmt: skip
    close_child_stderr: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Standard error is /dev/null.")  # fmt: skip
    send_hup: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Reload by sending SIGHUP to the workers.")  # fmt: skip
    stop_signal: int = option(kinds.SIGNAL, default=15, on_change=LIVE,
        doc="Signal that asks a worker to end.")  # fmt: skip
    stop_children: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Send the stop signal to a worker's children too.")  # fmt: skip
    graceful_timeout: float = option(kinds.SECONDS, default=30.0, on_change=LIVE,
        doc="Wait this long before SIGKILL.")  # fmt: skip
    max_retry: int = option(kinds.RETRIES, default=5, on_change=LIVE,
        doc="Failures in a row after which a worker is given up; -1 for never.")  # fmt: skip
    backoff_delay: float = option(kinds.SECONDS, default=0.1, on_change=LIVE,
        aliases=("retry_in",),
        doc="Wait before the second start in a row that is needed.")  # fmt: skip
    backoff_factor: float = option(kinds.FACTOR, default=2.0, on_change=LIVE,
        doc="Each further wait is this much longer.")  # fmt: skip
    backoff_max: float = option(kinds.SECONDS, default=60.0, on_change=LIVE,
        doc="The longest wait.")  # fmt: skip
    backoff_jitter: float = option(kinds.SHARE, default=0.1, on_change=LIVE,
        doc="Up to this share of a wait is added by chance.")  # fmt: skip
    backoff_reset: float = option(kinds.SECONDS, default=10.0, on_change=LIVE,
        doc="A worker that ran this long has no failures behind it.")  # fmt: skip
    ready_after: float = option(kinds.SECONDS, default=0.0, on_change=LIVE,
        doc="A worker counts as ready once it has run this long.")  # fmt: skip
    max_age: float = option(kinds.SECONDS, default=0.0,
        doc="Replace a worker at this age; 0 for never.")  # fmt: skip
    max_age_variance: float = option(kinds.SECONDS, default=30.0,
        doc="Up to this much is added to max_age, by chance, for each worker.")  # fmt: skip
    use_sockets: bool = option(kinds.BOOLEAN, default=False,
        role=ADMIN, doc="Hand over all sockets, when no option names one.")  # fmt: skip
    sockets: tuple[str, ...] = option(kinds.NAMES, default=(),
        role=ADMIN, doc="Sockets to hand over, besides those that cmd, args, shell_args and the "
        "environment name.")  # fmt: skip
    on_demand: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Start at the first connection to one of its sockets.")  # fmt: skip
    hooks: Mapping[str, tuple[Any, bool]] = option(kinds.HOOK, default={}, prefix="hooks.",
        role=ADMIN, on_change=LIVE, doc="Function to call: dotted name, then whether its "
        "failure is ignored.")  # fmt: skip
    hook_timeout: float = option(kinds.SECONDS, default=60.0, on_change=LIVE,
        doc="A hook that takes longer has failed; its answer is not waited for.")  # fmt: skip
    virtualenv: str | None = option(kinds.TEXT, default=None,
        role=ADMIN, doc="Virtual environment to run in; needs copy_env.")  # fmt: skip
    virtualenv_py_ver: str | None = option(kinds.TEXT, default=None,
        role=ADMIN, doc="Its Python version, when it is not the daemon's.")  # fmt: skip
    after: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        role=ADMIN, doc="Start after these watchers have been started.")  # fmt: skip
    requires: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        role=ADMIN, doc="Start only while these watchers are active.")  # fmt: skip
    operate_users: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        role=ADMIN, doc="Users who may look at everything and operate on this one.")  # fmt: skip
    operate_groups: tuple[str, ...] = option(kinds.NAMES, default=(), on_change=LIVE,
        role=ADMIN, doc="Groups whose members may.")  # fmt: skip
    check_flapping: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="Accepted for old files; unused.")  # fmt: skip
    extra: Mapping[str, Any] = free_keys(LIVE, default_factory=dict)
    """Keys that are no option: hooks and plugins have their own."""


@section
class SocketConfig:
    """A listening socket that the daemon holds for its workers."""

    name: str
    host: str = option(kinds.TEXT, default="localhost", on_change=REBIND,
        doc="Address or name to bind.")  # fmt: skip
    port: int = option(kinds.PORT, default=8080, on_change=REBIND,
        doc="Port to bind; 0 for any.")  # fmt: skip
    family: str = option(kinds.FAMILY, default="AF_INET", on_change=REBIND,
        doc="Kind of address; a path makes it AF_UNIX.")  # fmt: skip
    type: str = option(kinds.SOCKET_TYPE, default="SOCK_STREAM", on_change=REBIND,
        doc="How it carries data.")  # fmt: skip
    proto: str | int = option(kinds.PROTOCOL, default=0, on_change=REBIND,
        doc="Protocol; 0 for the usual one of the type.")  # fmt: skip
    backlog: int = option(kinds.COUNT, default=2048, on_change=LIVE,
        doc="Connections that may wait to be accepted.")  # fmt: skip
    path: str | None = option(kinds.TEXT, default=None, on_change=REBIND,
        doc="Path of a Unix socket.")  # fmt: skip
    umask: int | None = option(kinds.UMASK, default=None, on_change=LIVE,
        doc="Octal mask for the path's mode.")  # fmt: skip
    replace: bool = option(kinds.BOOLEAN, default=False, on_change=LIVE,
        doc="Accepted for old files: a dead socket at the path is always replaced, a live one "
        "never.")  # fmt: skip
    interface: str | None = option(kinds.TEXT, default=None, on_change=LIVE,
        doc="Network interface to bind to.")  # fmt: skip
    so_reuseport: bool = option(kinds.BOOLEAN, default=False, on_change=REBIND,
        doc="Each worker gets a socket of its own on this address.")  # fmt: skip
    blocking: bool = option(kinds.BOOLEAN, default=True, on_change=LIVE,
        doc="A call that has to wait waits; off, it fails. Workers share this.")  # fmt: skip
    activated: bool = option(kinds.BOOLEAN, default=False, on_change=REBIND,
        doc="systemd opens it: a socket unit with FileDescriptorName= this name says where and "
        "how.")  # fmt: skip
    owner: str | int | None = option(kinds.IDENTIFIER, default=None, on_change=LIVE,
        doc="Owner of the path.")  # fmt: skip
    group: str | int | None = option(kinds.IDENTIFIER, default=None, on_change=LIVE,
        doc="Group of the path.")  # fmt: skip
    mode: int | None = option(kinds.OCTAL, default=None, on_change=LIVE,
        doc="Octal mode of the path.")  # fmt: skip
    extra: Mapping[str, Any] = free_keys(LIVE, default_factory=dict)


@section
class PluginConfig:
    """A class that is run in a process of its own; every other key is the class's."""

    name: str
    use: str = option(kinds.DOTTED_NAME, role=ADMIN, doc="Dotted name of the plugin's class.")
    active: bool = option(kinds.BOOLEAN, default=True, doc="Off, it is not run.")
    options: Mapping[str, Any] = free_keys(OnChange.REPLACE, default_factory=dict)
    """Those keys that are options of a watcher, by field: the process that runs the plugin has
    them. Never cmd."""
    extra: Mapping[str, str] = free_keys(OnChange.REPLACE, default_factory=dict)
    """Every key but `use`, as text: what the plugin is given."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that one file, with what it includes, asks for. Keys are lower-case names."""

    circus: CircusConfig
    watchers: Mapping[str, WatcherConfig]
    sockets: Mapping[str, SocketConfig]
    plugins: Mapping[str, PluginConfig]
    path: str | None = None

    @property
    def keys_folder(self) -> str | None:
        """Of the keys, when `tcp://` endpoints let only who has one in."""
        if not self.circus.curve:
            return None
        if self.circus.curve_keys or self.path is None:
            return self.circus.curve_keys or SYSTEM_KEYS
        return os.path.join(os.path.dirname(self.path), "curve")
