"""Each step of the launcher that fails says which it was, and why."""

from __future__ import annotations

import os
import resource
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from circus.host.spawn import LAUNCH
from tests.support import needs_root

if TYPE_CHECKING:
    from pathlib import Path

NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
MORE = resource.getrlimit(resource.RLIMIT_NOFILE)[1] + 1
"""Descriptors, than anybody but root may have."""
ENV = {"PATH": "/usr/bin:/bin"}


def launch(*arguments: str, handed: tuple[int, ...] = (), **how: Any) -> tuple[int, str, bytes]:
    """Its status, what it tells of a failure, and what the program has printed."""
    reading, writing = os.pipe()
    with open(LAUNCH, "rb") as program, open(reading, encoding="ascii") as report:
        done = subprocess.run(
            ["launch", "-e", str(writing), *arguments],
            executable=f"/proc/self/fd/{program.fileno()}",  # whoever may not look where it lies
            pass_fds=(program.fileno(), writing, *handed),
            stdout=subprocess.PIPE,
            timeout=20,
            check=False,
            **{"env": ENV, **how},
        )
        os.close(writing)
        return done.returncode, report.read(), done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["-x", "--", "true", "true"],
        ["-n", "high", "--", "true", "true"],
        ["-n", "9" * 30, "--", "true", "true"],
        ["-l", "7:5", "--", "true", "true"],
        ["-l", "7", "--", "true", "true"],
        ["-k", "3", "--", "true", "true"],
        ["--", "true"],
        [],
    ],
    ids=" ".join,
)
def test_what_it_is_not_to_be_given_is_refused(arguments: list[str]) -> None:
    assert launch(*arguments) == (127, "option 22", b"")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-c", "/nowhere/cgroup.procs"], "cgroup 2"),
        (["-k", "999:3"], "descriptor 9"),
        (["-l", "7:20:10"], "limit-7 22"),
        (["-l", "99:1:1"], "limit-99 22"),
        (["-p", "999"], "parent_death_signal 22"),
        (["-d", "/nowhere"], "working_dir 2"),
        (["-d", "/etc/passwd"], "working_dir 20"),
    ],
    ids=str,
)
def test_a_step_that_cannot_be_is_named(arguments: list[str], told: str) -> None:
    assert launch(*arguments, "--", "true", "true") == (127, told, b"")


@needs_root
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-G", "0"], "groups 1"),
        (["-g", "0"], "group 1"),
        (["-u", "0"], "user 1"),
        (["-n", "-5"], "nice 13"),
        (["-l", f"{resource.RLIMIT_NOFILE}:{MORE}:{MORE}"], "limit-7 1"),
    ],
    ids=str,
)
def test_a_step_that_is_not_allowed_is_named(arguments: list[str], told: str) -> None:
    assert launch(*arguments, "--", "true", "true", **NOBODY) == (127, told, b"")


# -- which program ------------------------------------------------


@pytest.mark.parametrize("program", ["echo", "/bin/echo"])
def test_without_a_path_the_usual_folders_are_looked_in(program: str) -> None:
    assert launch("--", program, "echo", "found", env={}) == (0, "", b"found\n")


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./echo"])
def test_without_a_path_what_is_not_there_is_not_found(program: str) -> None:
    assert launch("--", program, "x", env={}) == (127, "exec 2", b"")


def test_a_program_that_may_not_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")
    path = {"PATH": str(tmp_path)}
    assert launch("--", "plain", "plain", env=path) == (127, "exec 13", b"")


@pytest.mark.parametrize("program", ["bare", "FOLDER/bare"])
def test_what_is_no_program_is_given_to_no_shell(tmp_path: Path, program: str) -> None:
    (tmp_path / "bare").write_text("echo a shell ran this\n")
    (tmp_path / "bare").chmod(0o755)
    program = program.replace("FOLDER", str(tmp_path))
    path = {"PATH": f"/nowhere:{tmp_path}:/bin"}
    assert launch("--", program, "bare", env=path) == (127, "exec 8", b"")


@pytest.mark.parametrize("path", ["", ":/nowhere", "/nowhere:", "/nowhere::/bin", "none:."])
def test_an_empty_place_of_the_path_is_where_it_works(tmp_path: Path, path: str) -> None:
    (tmp_path / "here").write_text("#!/bin/sh\necho found\n")
    (tmp_path / "here").chmod(0o755)
    words = ["-d", str(tmp_path), "--", "here", "here"]
    assert launch(*words, env={"PATH": path}) == (0, "", b"found\n")


def test_what_may_not_be_run_is_looked_for_in_the_next_place(tmp_path: Path) -> None:
    for name, mode in (("plain", 0o644), ("program", 0o755)):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "it"
        file.write_text("#!/bin/sh\necho found\n")
        file.chmod(mode)
    path = f"{'/long' * 1000}:{tmp_path}/plain/it:{tmp_path}/plain:{tmp_path}/program"
    assert launch("--", "it", "it", env={"PATH": path}) == (0, "", b"found\n")


# -- descriptors ------------------------------------------------


def test_t37_a_place_above_all_that_is_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("read\n")
    with (tmp_path / "file").open() as file:
        number = file.fileno()
        places, script = f"{number}:200,{number}:3", "cat <&200; echo $LISTEN_PID $$"
        status, told, printed = launch(
            "-k", places, "--", "bash", "bash", "-c", script, handed=(number,)
        )
    assert (status, told) == (0, "")
    read, pids = printed.decode().splitlines()
    assert read == "read"
    assert len(set(pids.split())) == 1
