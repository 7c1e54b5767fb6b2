"""What becomes of a tunnel when ssh, played by a program of ours, does not do its part."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Protocol

import pytest

from circus.exc import CallError
from circus.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SSH = """\
#!/bin/sh
# as a connection it lasts until it is told to go; orders are carried out by the program `order`
case " $* " in *" -O forward "*) exec "$(dirname "$0")/order" "$@";; esac
while [ "$1" != -S ]; do shift; done
sleep 1000 & sleep=$!
trap 'kill $sleep; echo "closed by the server" >&2; exit 255' TERM
echo "$$ $PPID" > "$(dirname "$0")/pids"
touch "$2"
wait
"""
GOES = """\
read -r ssh guard < "$(dirname "$0")/pids"
kill "$ssh"
until grep -q ') Z' "/proc/$guard/stat"; do :; done
echo "no such master" >&2
exit 255
"""
LEADS = """\
for word; do case $word in /*:*) ln -s SILENT "${word%%:*}";; esac; done
"""
DEAF_AT_FIRST = """\
#!/bin/sh
while [ "$1" != -S ]; do shift; done
trap 'trap - TERM' TERM
touch "$2"
while :; do sleep 0.01; done
"""


class Tunnelled(Protocol):
    """A tunnel whose ssh does `order` when it is to forward something."""

    def __call__(self, order: str) -> Tunnel: ...


@pytest.fixture
def tunnel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tunnelled]:
    with contextlib.ExitStack() as stack:

        def start(order: str) -> Tunnel:
            for name, text in (("ssh", SSH), ("order", f"#!/bin/sh\n{order}")):
                (folder / name).write_text(text)
                (folder / name).chmod(0o755)
            monkeypatch.setenv("CIRCUS_SSH", str(folder / "ssh"))
            return stack.enter_context(contextlib.closing(Tunnel("host")))

        yield start


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ("echo 'not for you' >&2; echo >&2; exit 1\n", "not for you"),
        ("exit 1\n", "ssh refuses"),
        (GOES, "closed by the server"),
        ("exec sleep 1000\n", "ssh is silent"),
    ],
)
def test_an_order_that_ssh_does_not_carry_out(tunnel: Tunnelled, order: str, why: str) -> None:
    with pytest.raises(CallError) as caught:
        tunnel(order).forward("ipc:///run/circus/control")
    assert str(caught.value) == f"cannot reach ipc:///run/circus/control on host: {why}"


def test_one_who_takes_the_connection_and_is_silent_may_be_busy(
    tunnel: Tunnelled, folder: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "silent"))
        silent.listen()
        made = tunnel(LEADS.replace("SILENT", str(folder / "silent")))
        here = made.forward("ipc:///run/circus/control")
        assert here.startswith("ipc:///")
        assert made.forward("ipc:///run/circus/control") == here


def test_an_ssh_that_sleeps_through_a_signal_is_told_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = folder / "ssh"
    ssh.write_text(DEAF_AT_FIRST)
    ssh.chmod(0o755)
    monkeypatch.setenv("CIRCUS_SSH", str(ssh))
    tunnel = Tunnel("host")
    assert tunnel.failure() is None
    tunnel.close()
    assert tunnel.failure() is not None
