"""Who is compared, and how each is told what to run.

Each is used as its manual says and with its defaults, except that limits on the number of
workers, and of what may be written, are raised out of the way.
"""

from __future__ import annotations

import compileall
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import circus
from benchmarks import install
from benchmarks.loads import FILES, GROUP, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.loads import Load

FLOOR, OURS, SEED = "floor", "circusd", "circus-0.19"
FLOOR_PROGRAM = str(Path(__file__).with_name("floor.py"))


@dataclass(frozen=True, slots=True)
class Peer:
    """One program that keeps others running."""

    name: str
    version: str
    prepare: Callable[[Load, Path], list[str]]
    """Write what it needs into a folder; the command that starts it."""
    stop_signal: int = signal.SIGTERM
    question: Callable[[Path], list[str]] | None = None
    """The command that asks the one started in a folder for the status of something."""
    serve: Callable[[Path, str], list[str]] | None = None
    """The command for a circusd with the watchers that a text declares."""
    socket: Callable[[Path], str] | None = None
    """Where it answers programs."""


@dataclass(slots=True)
class Field:
    """Everybody there is, and who is missing for what reason."""

    peers: list[Peer] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def gather(names: list[str]) -> Field:
    """The floor, and these, installed where necessary."""
    makers: dict[str, Callable[[], Peer]] = {
        OURS: _ours, SEED: _seed, "supervisor": _supervisor, "s6": _s6, "runit": _runit,
    }  # fmt: skip
    found = Field([Peer(FLOOR, "", _floor, socket=lambda folder: f"ipc://{folder}/control")])
    try:
        install.from_debian("util-linux", "setpriv")
    except install.Unavailable as error:
        found.missing["a floor for user and limits"] = str(error)
    for name, make in makers.items():
        if name not in names:
            continue
        try:
            found.peers.append(make())
        except install.Unavailable as error:
            found.missing[name] = str(error)
    return found


NAMES = (OURS, SEED, "supervisor", "s6", "runit")


def _floor(load: Load, folder: Path) -> list[str]:
    command = [sys.executable, FLOOR_PROGRAM]
    if load.capture:
        return [*command, "copy", str(load.count), f"{_log(folder)}/out", *load.command.split()]
    way = "launch" if load.identity else "keep" if load.keep else "start"
    return [*command, way, str(load.count), *load.command.split()]


def _ours() -> Peer:
    compileall.compile_dir(Path(circus.__file__).parent, quiet=2)  # as an installation does
    return _circus(OURS, circus.__version__, Path(sys.executable).parent)


def _seed() -> Peer:
    return _circus(SEED, "0.19.0", install.from_pypi(*install.CIRCUS_019))


def _circus(name: str, version: str, programs: Path) -> Peer:
    def serve(folder: Path, watchers: str) -> list[str]:
        config = folder / "circus.ini"
        control = f"endpoint = ipc://{folder}/control\npubsub_endpoint = ipc://{folder}/pubsub\n"
        config.write_text(f"[circus]\n{control}\n{watchers}")
        return [str(programs / "circusd"), str(config)]

    def prepare(load: Load, folder: Path) -> list[str]:
        text = f"[watcher:w]\ncmd = {load.command}\nnumprocesses = {load.count}\n"
        if load.identity:
            text += f"uid = {USER}\ngid = {GROUP}\nrlimit_nofile = {FILES}\nrlimit_core = 0\n"
        if load.capture:
            text += f"stdout_stream.class = FileStream\nstdout_stream.filename = {_log(folder)}/out"
        return serve(folder, text)

    def question(folder: Path) -> list[str]:
        endpoint = f"ipc://{folder}/control"
        return [str(programs / "circusctl"), "--endpoint", endpoint, "status"]

    return Peer(
        name, version, prepare, question=question, serve=serve,
        socket=lambda folder: f"ipc://{folder}/control",
    )  # fmt: skip


_SUPERVISOR = """\
[supervisord]
nodaemon = true
logfile = {folder}/log.txt
pidfile = {folder}/pid
minfds = 16384
{root}
[unix_http_server]
file = {folder}/control
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://{folder}/control
[program:w]
command = {command}
process_name = %(process_num)d
numprocs = {count}
stdout_logfile = {log}
stdout_logfile_maxbytes = 0
stderr_logfile = NONE
"""


def _supervisor() -> Peer:
    programs = install.from_pypi("supervisor==4.3.0")

    def prepare(load: Load, folder: Path) -> list[str]:
        command = load.command
        if load.identity:  # it knows no limits of single programs
            command = f"/bin/sh -c 'ulimit -n {FILES}; ulimit -c 0; exec {load.command}'"
        text = _SUPERVISOR.format(
            folder=folder,
            root="user = root" if os.geteuid() == 0 else "",
            command=command,
            count=load.count,
            log=f"{_log(folder)}/%(process_num)d" if load.capture else "NONE",
        )
        config = folder / "supervisor.ini"
        config.write_text(text + (f"user = {USER}\n" if load.identity else ""))
        return [str(programs / "supervisord"), "-c", str(config)]

    def question(folder: Path) -> list[str]:
        config = str(folder / "supervisor.ini")
        return [str(programs / "supervisorctl"), "-c", config, "status", "w:0"]

    return Peer(
        "supervisor", "4.3.0", prepare, question=question,
        socket=lambda folder: f"http+unix://{folder}/control",
    )  # fmt: skip


def _s6() -> Peer:
    def prepare(load: Load, folder: Path) -> list[str]:
        dressed = f"s6-softlimit -o {FILES} -c 0 s6-setuidgid {USER} " if load.identity else ""
        services = _services(load, folder, dressed, "s6-log n1000 s268435455 {log}")
        return ["s6-svscan", "-c", str(2 * load.count + 8), str(services)]

    return Peer(
        "s6", install.from_debian("s6", "s6-svscan"), prepare,
        question=lambda folder: ["s6-svstat", f"{folder}/services/0"],
    )  # fmt: skip


def _runit() -> Peer:
    def prepare(load: Load, folder: Path) -> list[str]:
        dressed = f"chpst -u {USER}:{GROUP} -o {FILES} -c 0 " if load.identity else ""
        services = _services(load, folder, dressed, "svlogd {log}")
        return ["runsvdir", str(services)]

    return Peer(
        "runit", install.from_debian("runit", "runsvdir"), prepare, signal.SIGHUP,
        question=lambda folder: ["sv", "status", f"{folder}/services/0"],
    )  # fmt: skip


def _services(load: Load, folder: Path, dressed: str, logger: str) -> Path:
    """A folder with a folder for each worker, as s6 and runit want it."""
    services = folder / "services"
    for number in range(load.count):
        service = services / str(number)
        _script(service / "run", f"exec {dressed}{load.command}")
        if load.capture:
            log = _log(folder) / str(number)
            log.mkdir()
            (log / "config").write_text("s0\n")  # runit's: one file of any size
            _script(service / "log/run", f"exec {logger.format(log=log)}")
    return services


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _log(folder: Path) -> Path:
    """Where captured output goes."""
    found = folder / "log"
    found.mkdir(exist_ok=True)
    return found
