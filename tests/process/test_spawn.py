"""Real programs, started with everything that can be asked for."""

from __future__ import annotations

import asyncio
import os
import pwd
import resource
import select
import signal
from typing import TYPE_CHECKING, Any

import pytest

from circus.exc import SpawnError
from circus.host import identity, spawn
from circus.host.reaper import Exit, Reaper
from tests.support import needs_root

if TYPE_CHECKING:
    from pathlib import Path

PATH = {"PATH": "/usr/bin:/bin"}


def run(text: str, **fields: Any) -> tuple[str, Exit]:
    """What a shell line prints, and how it ends. Raises SpawnError."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    fields = {"env": PATH, "argv": ("sh", "-c", text), "file": "sh", **fields}
    order = spawn.Order(stdin=spawn.NULL, stdout=writing, **fields)
    try:
        started = spawn.start(order)
    finally:
        os.close(writing)
    if started.report is not None:
        select.select([started.report], [], [], 30)
        failure = spawn.outcome(order, started.report)
        if failure is not None:
            os.close(reading)
            os.waitpid(started.pid, 0)
            raise failure
    with open(reading, "rb") as file:
        output = file.read().decode().strip()
    ended: list[Exit] = []
    reaper = Reaper(adopt=False)
    reaper.watch(started.pid, ended.append)
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    reaper.reap()
    return output, ended[0]


def test_exit_code_and_signal_are_told() -> None:
    assert str(run("exit 3")[1]) == "exited with code 3"
    assert str(run("kill -SEGV $$")[1]).startswith("killed by SIGSEGV")
    assert str(run("kill -40 $$")[1]) == "killed by signal 40"  # of those without a name


def test_leads_a_session_of_its_own() -> None:
    output, _ = run('echo $$; cut -d" " -f6 /proc/$$/stat')
    pid, session = output.split()
    assert pid == session


LIST = "exec python3 -S -c 'import os; print(*os.listdir(\"/proc/self/fd\"))'"


@pytest.mark.parametrize("fields", [{}, {"umask": 0o22}], ids=["direct", "launched"])
def test_t37_descriptors_are_exact(fields: dict[str, Any], tmp_path: Path) -> None:
    spawn.keep_descriptors_private()
    with (tmp_path / "one").open("w"), (tmp_path / "other").open("w"):
        output, _ = run(LIST, env=dict(os.environ), **fields)
        # one more for reading the directory itself
        assert output.split() == ["0", "1", "2", "3"]


def test_t37_what_is_handed_over_is_where_it_is_looked_for(tmp_path: Path) -> None:
    """Also when the number of one is that of another, or of the pipe that a failure is told by."""
    spawn.keep_descriptors_private()
    names = [str(tmp_path / str(number)) for number in range(4)]
    files = [os.open(name, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC) for name in names]
    try:
        last = max(files) + 3
        numbers = [*reversed(files), last, *range(3, min(files))]
        sources = [*files, files[0], *(files[0] for _ in range(3, min(files)))]
        handed = tuple(zip(sources, numbers, strict=True))
        text = "; ".join(f"readlink /proc/$$/fd/{number}" for _, number in handed)
        output, _ = run(f"{text}; echo $LISTEN_PID $$", handed=handed)
        *found, pids = output.split("\n")
        path = dict(zip(files, names, strict=True))
        assert found == [path[source] for source in sources]
        assert len(set(pids.split())) == 1
        output, _ = run(LIST, handed=((files[0], 3), (files[1], 9)), env=dict(os.environ))
        assert output.split() == ["0", "1", "2", "3", "4", "9"]
        # a limit that is below what we have open is no hindrance
        few = identity.limits({"nofile": (6, 6)})
        output, _ = run("readlink /proc/$$/fd/3", handed=((files[3], 3),), limits=few)
        assert output == names[3]
    finally:
        for file in files:
            os.close(file)


@pytest.mark.parametrize("fields", [{}, {"umask": 0o22}], ids=["direct", "launched"])
def test_signals_are_reset(fields: dict[str, Any]) -> None:
    output, _ = run("grep -E 'SigIgn|SigBlk' /proc/self/status", **fields)
    found = [int(line.split()[1], 16) for line in output.splitlines()]
    libc_own = 1 << 31 | 1 << 32  # 32 and 33, which no program can use
    assert [mask & ~libc_own for mask in found] == [0, 0]


@pytest.mark.parametrize("fields", [{}, {"nice": 5}], ids=["direct", "launched"])
def test_t7_missing_programs_are_a_reason(fields: dict[str, Any], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    script = tmp_path / "script"
    script.write_text("#!/nowhere/python\n")
    script.chmod(0o755)
    bare = tmp_path / "bare"
    bare.write_text("no program, and no #!\n")
    bare.chmod(0o755)
    for file, reason in [
        ("/nowhere/program", "no such file"),
        ("nowhere-to-be-found", "no such file"),
        (str(plain), "Permission denied"),
        (str(tmp_path), "Permission denied"),
        (str(script), "interpreter"),
        (str(bare), "Exec format error"),
    ]:
        with pytest.raises(SpawnError, match=reason):
            run("", file=file, argv=(file,), **fields)


def test_limits_soft_and_hard() -> None:
    output, _ = run("ulimit -Sn; ulimit -Hn", limits=identity.limits({"nofile": (64, 128)}))
    assert output.split() == ["64", "128"]


def test_t48_impossible_limit_is_a_reason() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = ((resource.RLIMIT_NOFILE, 4_000_000_000, 4_000_000_000),)
    assert hard < 4_000_000_000
    with pytest.raises(SpawnError, match=r"rlimit_nofile: "):
        run("true", limits=wanted)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"parent_death_signal": 999}, "parent_death_signal: Invalid argument"),
        ({"cgroup_procs": "/nowhere/cgroup.procs"}, "cgroup: no such file"),
        ({"limits": ((99, 1, 1),)}, "resource limit 99: Invalid argument"),
    ],
    ids=["signal", "cgroup", "limit"],
)
def test_what_cannot_be_done_for_a_start_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(SpawnError, match=f"^cannot start 'sh': {said}$"):
        run("true", **fields)


def test_umask_nice_and_directory(tmp_path: Path) -> None:
    output, _ = run("umask; nice; pwd", umask=0o27, nice=3, directory=str(tmp_path))
    assert output.split() == ["0027", "3", str(tmp_path)]


def test_missing_directory_is_a_reason() -> None:
    with pytest.raises(SpawnError, match="working_dir '/nowhere': no such file"):
        run("true", directory="/nowhere")


@needs_root
def test_identity_is_complete() -> None:
    nobody = pwd.getpwnam("nobody")
    who = identity.identity("nobody", None, None)
    output, _ = run("id -u; id -g; id -G", uid=who.uid, gid=who.gid, groups=who.groups)
    assert output.split() == [str(nobody.pw_uid), str(nobody.pw_gid), str(nobody.pw_gid)]


@needs_root
def test_t47_group_zero_is_a_group() -> None:
    who = identity.identity("nobody", 0, ())
    output, _ = run("id -u; id -g", uid=who.uid, gid=who.gid, groups=who.groups)
    assert output.split()[1] == "0"


@needs_root
def test_t46_user_without_an_entry_is_refused() -> None:
    with pytest.raises(SpawnError, match="not in the user database"):
        identity.identity(54321, 54321, None)
    assert identity.identity(54321, 54321, ()).groups == ()


def test_a_user_of_whom_nothing_is_known_needs_a_group() -> None:
    said = "^cannot run as uid 54321: it has no group; set gid$"
    with pytest.raises(SpawnError, match=said):
        identity.identity(54321, None, ())


def test_a_group_alone_leaves_no_other_groups() -> None:
    found = identity.identity(None, 54321, None)
    assert (found.uid, found.gid, found.groups) == (None, 54321, ())


@needs_root
def test_no_new_privileges_and_death_signal() -> None:
    output, _ = run(
        "grep NoNewPrivs /proc/self/status",
        no_new_privileges=True,
        parent_death_signal=signal.SIGTERM,
    )
    assert output.split() == ["NoNewPrivs:", "1"]


def test_t42_environment_is_byte_exact() -> None:
    text = "".join(chr(code) for code in range(1, 127)) + "é€\N{GRINNING FACE} $HOME $(x) ((y))"
    output, _ = run("printenv VALUE | od -An -tx1 -v", env={**PATH, "VALUE": text})
    assert bytes.fromhex("".join(output.split())) == text.encode() + b"\n"


def test_path_of_the_worker_finds_its_program(tmp_path: Path) -> None:
    program = tmp_path / "only-here"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    for fields in ({}, {"umask": 0}):
        output, _ = run(
            "", file="only-here", argv=("only-here",), env={"PATH": f"{tmp_path}:/bin"}, **fields
        )
        assert output == "found"


def test_t34_reaping_a_living_child_does_not_block() -> None:
    started = spawn.start(spawn.Order(file="sleep", argv=("sleep", "60"), env=PATH))
    ended: list[Exit] = []
    reaper = Reaper(adopt=False)
    reaper.watch(started.pid, ended.append)
    assert reaper.reap() == 0
    os.kill(started.pid, signal.SIGKILL)
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert reaper.reap() == 1
    assert ended == [Exit(signum=signal.SIGKILL)]


def test_a_reaper_that_is_closed_listens_to_nobody() -> None:
    loop = asyncio.new_event_loop()
    reaper = Reaper(adopt=False, loop=loop)
    before = os.listdir("/proc/self/fd")
    started = spawn.start(spawn.Order(file="sleep", argv=("sleep", "60"), env=PATH))
    ended: list[Exit] = []
    reaper.watch(started.pid, ended.append)
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1
    reaper.close()
    assert os.listdir("/proc/self/fd") == before
    os.kill(started.pid, signal.SIGKILL)
    os.waitid(os.P_PID, started.pid, os.WEXITED)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert ended == []
