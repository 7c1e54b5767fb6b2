"""What is installed works, whichever way it came."""

from __future__ import annotations

import contextlib
import filecmp
import functools
import subprocess
from typing import TYPE_CHECKING

import pytest

from circus import __version__
from circus.reach import unreachable
from tests import shells
from tests.install.conftest import (
    CLEAN,
    SYSTEM,
    TREE,
    Built,
    Prefix,
    base,
    do,
    installed,
    newer_pythons,
    run,
)
from tests.support import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)  # the first one builds, and each prefix has to be installed
PAGES = ("circus-plugin", "circus-top", "circus.ini", "circus.service", "circusctl", "circusd",
         "circusd-stats", "circushttpd", "console.ini")  # fmt: skip
WORKER = "[watcher:sleeper]\ncmd = sleep infinity\nrlimit_nofile = 100\n"
"""The limit is what it takes the launcher for."""
ALL = """
[circus]
statsd = True
httpd = True
httpd_user = root
httpd_port = {port}
[plugin:flapping]
use = circus.plugins.flapping.Flapping
"""
whole = pytest.mark.parametrize("prefix", ["folder", "sdist", "wheel"], indirect=True)
with_extras = pytest.mark.parametrize("prefix", ["wheel"], indirect=True)
without_extras = pytest.mark.parametrize("prefix", ["folder"], indirect=True)


@contextlib.contextmanager
def circusd(programs: Path, folder: Path, config: str) -> Iterator[Callable[..., str]]:
    """One of these programs that runs, and circusctl to ask it. It ends well after.

    `folder` is for its files.
    """
    endpoint = f"ipc://{folder}/control"
    environ = {"RUNTIME_DIRECTORY": str(folder), "CIRCUSCTL_ENDPOINT": endpoint}
    file = folder / "circus.ini"
    file.write_text(config, encoding="utf-8")
    ask = functools.partial(do, programs / "circusctl", **environ)
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [programs / "circusd", file], env={**CLEAN, **environ}, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: unreachable(endpoint) is None or daemon.poll() is not None)
        yield ask
        ask("quit", "--waiting")
        assert daemon.wait(timeout=30) == 0
    finally:
        daemon.terminate()  # with its workers, when a test has failed
        daemon.wait(timeout=30)


@pytest.mark.parametrize("program", shells.PROGRAMS)
def test_every_program_tells_its_version(prefix: Prefix, program: str) -> None:
    assert do(prefix.bin / program, "--version").split()[-1] == __version__


def test_a_worker_is_started_by_the_launcher(prefix: Prefix, tmp_path: Path) -> None:
    with circusd(prefix.bin, tmp_path, WORKER) as ask:
        ask("wait", "sleeper")
        pid = ask("list", "sleeper").strip()
        limit = do("prlimit", "--noheadings", "-o", "SOFT", "--nofile", "--pid", pid)
        assert limit.strip() == "100"


def everything_runs(programs: Path, folder: Path) -> None:
    """What circusd runs beside itself, and who looks at it."""
    with circusd(programs, folder, ALL.format(port=free_port()) + WORKER) as ask:
        names = ("circusd-stats", "circushttpd", "plugin:flapping", "sleeper")
        ask("wait", "--timeout", "60", *names)
        assert "/login?ticket=" in ask("console-login")
        control = f"--control=ipc://{folder}/control"
        assert "sleeper" in do(programs / "circus-top", "--once", control)


@with_extras
def test_all_programs_run_together(prefix: Prefix, tmp_path: Path) -> None:
    everything_runs(prefix.bin, tmp_path)


@without_extras
def test_the_console_says_what_to_install(prefix: Prefix) -> None:
    ended = run(prefix.bin / "circushttpd", "--port", str(free_port()))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "circushttpd: there is no Python module falcon; install the Debian package "
        "circus-console, or pip install 'circus[web]'\n"
    )


@whole
@pytest.mark.parametrize("page", PAGES)
def test_man_finds_the_page_by_the_path_and_shows_it(prefix: Prefix, page: str) -> None:
    path = f"{prefix.bin}:{SYSTEM}"
    file = do("man", "--where", page, PATH=path).strip()
    assert file.startswith(f"{prefix.share}/man/man")
    shown = run("man", "--warnings", "--encoding=UTF-8", page, PATH=path, MANWIDTH="80")
    assert shown.returncode == 0
    assert shown.stdout.startswith(page.upper())
    assert shown.stderr == ""


@with_extras
@pytest.mark.parametrize("shell", shells.SHELLS)
@pytest.mark.parametrize(("line", "rest"), shells.STARTS)
def test_the_tab_key(prefix: Prefix, tmp_path: Path, shell: str, line: str, rest: str) -> None:
    first = {
        "bash": shells.BASH_COMPLETION,
        "zsh": f"fpath=({prefix.share}/zsh/site-functions $fpath); {shells.COMPINIT}",
    }[shell].format(dump=tmp_path / "dump")
    environ = {**CLEAN, "PATH": f"{prefix.bin}:{SYSTEM}", "XDG_DATA_DIRS": str(prefix.share)}
    with shells.person(shell, first, folder=tmp_path, environ=environ) as terminal:
        shells.tab_adds(terminal, line, rest)


@whole
def test_completion_is_the_same_whichever_way_it_came(prefix: Prefix) -> None:
    bash = {path.name for path in (prefix.share / "bash-completion/completions").iterdir()}
    assert bash == set(shells.PROGRAMS)
    zsh = prefix.share / "zsh/site-functions"
    names = ["_circus", "_circusctl"]
    assert filecmp.cmpfiles(TREE / "packaging/completion", zsh, names) == (names, [], [])


@with_extras
def test_links_to_the_programs_are_as_good(prefix: Prefix, tmp_path: Path) -> None:
    links = tmp_path / "bin"
    links.mkdir()
    for program in shells.PROGRAMS:  # this is what pipx does
        (links / program).symlink_to(prefix.bin / program)
    everything_runs(links, tmp_path)


@pytest.mark.parametrize("python", newer_pythons(), ids=lambda path: path.name)
def test_the_same_wheel_is_for_newer_pythons(built: Built, tmp_path: Path, python: Path) -> None:
    prefix = installed(tmp_path / "venv", python, f"{built.wheel}[web]")
    for program in shells.PROGRAMS:
        assert do(prefix.bin / program, "--version").split()[-1] == __version__
    everything_runs(prefix.bin, tmp_path)


def test_nothing_is_left_after_it_is_uninstalled(built: Built, tmp_path: Path) -> None:
    prefix = installed(tmp_path / "venv", base(), "--no-deps", built.wheel)
    assert (prefix.bin / "circusd").exists()
    do(prefix.bin / "pip", "uninstall", "-q", "-y", "circus")
    assert list(tmp_path.rglob("*circus*")) == []
