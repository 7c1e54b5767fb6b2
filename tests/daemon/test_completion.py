"""The tab key in real shells, with a real daemon."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import shells
from tests.support import Daemon, read_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

FILES = Path(__file__).parents[2] / "packaging" / "completion"
CONFIG = """
[watcher:Web]
cmd = sleep 3600
group = back
[watcher:with blank]
cmd = sleep 3600
[watcher:we$ird]
cmd = sleep 3600
[watcher:off]
cmd = sleep 3600
autostart = False
"""

BASH = f"""
shopt -s extglob progcomp
PATH=$BIN:$PATH
source {FILES}/circusctl.bash
COMP_LINE=$LINE COMP_POINT=${{#LINE}}
COMP_WORDS=() COMP_CWORD=0
compopt() {{ echo "default"; }}
_circusctl circusctl "${{LINE##*[[:space:]]}}" "$PREVIOUS"
(( ${{#COMPREPLY[@]}} )) && printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = f"""
PATH=$BIN:$PATH
words=("${{(@z)LINE}}"); [[ $LINE == *' ' && $LINE != *'\\\\ ' ]] && words+=('')
CURRENT=$#words PREFIX=$words[CURRENT]
compadd() {{ printf '%s\\n' "${{(@P)@[-1]}}"; }}
_files() {{ echo default; }}
complete_it() {{ source {FILES}/_circusctl; }}
complete_it
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    started = Daemon(CONFIG).wait()
    program = started.folder / "circusctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m circus.circusctl "$@"\n')
    program.chmod(0o755)
    yield started
    started.stop()


def offered(shell: str, daemon: Daemon, line: str, **environ: str) -> list[str]:
    """What a shell offers for a line."""
    command = {
        "bash": ["bash", "--noprofile", "--norc", "-c", BASH],
        "zsh": ["zsh", "-f", "-c", ZSH],
    }[shell]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "LINE": f"circusctl {line}",
            "BIN": str(daemon.folder),
            "CIRCUSCTL_ENDPOINT": daemon.endpoint,
            "PREVIOUS": line.split()[-1] if line.endswith(" ") else "",
            **environ,
        },
    )
    assert ended.stderr == ""
    return ended.stdout.split("\n")[:-1]


BOTH = ["bash", "zsh"]


@pytest.mark.parametrize("shell", BOTH)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sta", ["start", "stats", "status"]),
        ("--json sc", ["scale"]),
        ("help relo", ["reload", "reloadconfig"]),
        ("--pre", ["--prettify"]),
        ("--color ", ["auto", "always", "never"]),
        ("start o", ["off"]),
        ("start w", ["Web", "we$ird", "with blank"]),
        ("stop off w", ["Web", "we$ird", "with blank"]),
        ("stop --group ", ["back"]),
        ("stop --match r", ["regex"]),
        ("stop --wa", ["--waiting"]),
        ("is-active of", ["off"]),
        ("wait --for s", ["stopped", "settled"]),
        ("get web numproc", ["numprocesses"]),
        ("set web max_retr", ["max_retry"]),
        ("set web max_retry ", []),
        ("signal web HU", ["HUP"]),
        ("kill --signum TER", ["TERM"]),
        ("listen watcher.o", ["watcher.off."]),
        ("globaloptions end", ["endpoint"]),
        ("options nope", []),
        ("nope ", []),
        ("list web ", []),
    ],
)
def test_words_are_offered(shell: str, daemon: Daemon, line: str, words: list[str]) -> None:
    found = offered(shell, daemon, line)
    if shell == "bash":  # spelled for the line
        found = [shlex.split(word)[0] for word in found if word]
    assert sorted(found) == sorted(words)


@pytest.mark.parametrize("shell", BOTH)
def test_pids_are_offered(shell: str, daemon: Daemon) -> None:
    (pid,) = daemon.wait_pids("web", 1)
    for line in ("kill web ", "stats web "):
        assert str(pid) in offered(shell, daemon, line)
    assert {str(pid), "KILL"} <= set(offered(shell, daemon, "signal web "))


@pytest.mark.parametrize("shell", BOTH)
def test_a_key_and_a_program_are_files(shell: str, daemon: Daemon) -> None:
    assert "default" in offered(shell, daemon, "--ssh_keyfile ")
    assert "default" in offered(shell, daemon, "add new ")
    assert "default" not in offered(shell, daemon, "start nope")


def test_bash_gets_words_as_it_completes_them(daemon: Daemon) -> None:
    assert offered("bash", daemon, "stop @b") == ["@back"]
    assert offered("bash", daemon, "start with") == ["with\\ blank"]
    assert offered("bash", daemon, "start with\\ b") == ["with\\ blank"]
    assert offered("bash", daemon, "start 'with b") == ["with blank"]
    assert offered("bash", daemon, "start we\\$") == ["we\\$ird"]


def test_zsh_gets_groups_and_names_with_blanks(daemon: Daemon) -> None:
    assert offered("zsh", daemon, "stop @b") == ["@back"]
    assert offered("zsh", daemon, "start with\\ b") == ["with blank"]


def typist(shell: str, folder: Path, **environ: str) -> AbstractContextManager[int]:
    """The terminal of somebody's shell that has read the files."""
    first = {
        "bash": f"source {FILES}/circusctl.bash; source {FILES}/programs.bash",
        "zsh": f"fpath=({FILES} $fpath); {shells.COMPINIT.format(dump='$BIN/dump')}",
    }[shell]
    return shells.person(
        shell,
        f"PATH=$BIN:$PATH; {first}",
        folder=folder,
        environ={**os.environ, "BIN": str(folder), **environ},
    )


@pytest.mark.parametrize("shell", BOTH)
def test_a_person_types(shell: str, daemon: Daemon) -> None:
    with typist(shell, daemon.folder, CIRCUSCTL_ENDPOINT=daemon.endpoint) as terminal:
        shells.type_and_see(
            terminal,
            ("circusctl is-act\t", "ive "),
            ("web\t", "b "),
            ("with\t", "with\\ blank "),
            ("we\\$\t", "ird "),
            ("\n", "\nactive\r\nactive\r\nactive"),
            ("circusctl stop --dry-run @b\t", "ack "),
            ("--group b\t", "ack "),
            ("\n", "Web: stop"),
        )
        read_until(terminal, ">>> ")


@pytest.mark.parametrize("shell", BOTH)
@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("circusd --str", "ict "),
        ("circusd --log-level war", "ning "),
        ("circusd --check circus.i", "ni "),
        ("circusd --check --instead-of circus.i", "ni "),
        ("circusd --instead-of x circus.i", "ni "),
        ("circus-top --rea", "donly "),
        ("circus-top --readonly --control ip", "c://RUN/circus/control "),
        ("circus-top --endpoint ipc://RUN/cir", "cus/stats "),
        ("circus-top --endpoint=ip", "c://RUN/circus/stats "),
        ("circusd-stats --pubs", "ub"),
        ("circusd-stats --log-level=cri", "tical "),
        ("circus-plugin --check-d", "elay"),
        ("circus-plugin --pubsub ipc:", "//RUN/circus/pubsub "),
        ("circus-plugin --path fol", "der/"),
        ("circus-plugin --log-output circus.i", "ni "),
    ],
)
def test_the_other_programs_complete_their_options(shell: str, line: str, rest: str) -> None:
    # short, because a line of a terminal is
    with tempfile.TemporaryDirectory(dir="/tmp") as name, contextlib.ExitStack() as sockets:
        folder = Path(name)
        (folder / "circus.ini").touch()
        for inside in ("folder", "circus"):
            (folder / inside).mkdir()
        for file in ("control", "pubsub", "stats"):
            sockets.enter_context(socket.socket(socket.AF_UNIX)).bind(f"{name}/circus/{file}")
        with typist(shell, folder, XDG_RUNTIME_DIR=name) as terminal:
            shells.tab_adds(terminal, line.replace("RUN", name), rest.replace("RUN", name))


def test_nothing_that_is_typed_is_carried_out(tmp_path: Path) -> None:
    with typist("bash", tmp_path) as terminal:
        os.write(terminal, b"circusd '$(touch${IFS}made)' \"$(touch made)]\" --str\t")
        read_until(terminal, "ict ")
        os.write(terminal, b"\x15")  # none of this is to be run
    assert not (tmp_path / "made").exists()


def test_without_a_daemon_there_is_silence(daemon: Daemon) -> None:
    for environ in (
        {"CIRCUSCTL_ENDPOINT": "ipc:///tmp/nowhere"},
        {"CIRCUSCTL_ENDPOINT": "nonsense"},
    ):
        assert offered("bash", daemon, "start ", **environ) == []
        assert offered("bash", daemon, "sta", **environ) == ["start", "stats", "status"]


def test_a_daemon_that_does_not_answer_keeps_nobody_waiting(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        assert offered("bash", daemon, "start ") == []
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def test_the_protocol_of_old_completion_files(daemon: Daemon) -> None:
    for words, at, said in (
        ("circusctl st", "1", "start stats status stop\n"),
        ("circusctl", "1", None),
        ("circusctl start o", "2", "off\n"),
        ("circusctl start", "nonsense", ""),
    ):
        ended = subprocess.run(
            [str(daemon.folder / "circusctl")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={
                **os.environ,
                "AUTO_COMPLETE": "1",
                "COMP_WORDS": words,
                "COMP_CWORD": at,
                "CIRCUSCTL_ENDPOINT": daemon.endpoint,
            },
        )
        assert (ended.returncode, ended.stderr) == (1, "")
        assert said is None or ended.stdout == said
