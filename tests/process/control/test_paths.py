"""Who may make a socket at a path, and what may be replaced there (T39, T41, T51)."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from circus.config.rules import SOCKET_PATH
from circus.control.paths import PathLock, listen_at, make_directory
from circus.exc import CircusError, ConflictError
from circus.host.socketfile import Access

if TYPE_CHECKING:
    from pathlib import Path


def dead_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def test_t41_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control"
    dead_socket(path)
    lock = PathLock(str(path))
    lock.acquire()
    assert not path.exists()
    lock.release()
    assert os.listdir(tmp_path) == []


def test_t41_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "control")
    first = PathLock(path)
    first.acquire()
    with pytest.raises(ConflictError, match=rf"another circusd \(pid {os.getpid()}\) serves it"):
        PathLock(path).acquire()
    first.release()
    second = PathLock(path)
    second.acquire()
    second.release()


def test_t41_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "control")
    code = (
        "import os, sys; from circus.control.paths import PathLock\n"
        "PathLock(sys.argv[1]).acquire(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True)
    assert os.path.exists(f"{path}.lock")
    lock = PathLock(path)
    lock.acquire()
    lock.release()


def test_t41_a_live_socket_is_not_stolen_from_one_who_knows_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        with pytest.raises(ConflictError, match="another program listens on it"):
            PathLock(str(path)).acquire()
    assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_nothing_but_a_socket_is_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "control"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd")
    with pytest.raises(CircusError, match="there is something that is not a socket"):
        PathLock(str(path)).acquire()
    assert os.path.lexists(path)


def test_the_lock_file_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "control.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(CircusError, match="cannot use"):
        PathLock(str(tmp_path / "control")).acquire()
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("@abstract", "a socket needs a file"),
        ("*", "a socket needs a file"),
        ("", "a socket needs a file"),
        ("/tmp/" + "é" * 60, f"125 bytes long, a socket's may have {SOCKET_PATH}"),
        ("/nowhere/at/all", "No such file or directory"),
    ],
)
def test_names_that_cannot_be(path: str, words: str) -> None:
    with pytest.raises(CircusError, match=words):
        PathLock(path).acquire()


def test_our_folder_is_made_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "circus"
    make_directory(str(folder), os.geteuid())
    make_directory(str(folder), os.geteuid())
    assert stat.S_IMODE(folder.stat().st_mode) & 0o022 == 0
    folder.chmod(0o777)
    with pytest.raises(CircusError, match="others may write to it"):
        make_directory(str(folder), os.geteuid())
    folder.chmod(0o700)
    us = os.geteuid()
    if us == 0:
        os.chown(folder, 1, 1)
    with pytest.raises(CircusError, match="others may write to it"):
        make_directory(str(folder), us if us == 0 else us + 1)


def test_our_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(CircusError, match="not a directory"):
        make_directory(str(tmp_path / "a"), os.geteuid())
    with pytest.raises(CircusError, match="cannot make"):
        make_directory(str(tmp_path / "b" / "c"), os.geteuid())


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_t51_a_socket_is_never_wider_than_asked_for(tmp_path: Path, mode: int) -> None:
    """Looked at after every call that leads to it, from before it is there; nothing narrows it."""
    path = tmp_path / "control"
    group = 60001 if os.geteuid() == 0 else os.getegid()
    seen = set()

    def look(_frame: object, event: str, _function: object) -> None:
        if event == "c_return" and path.exists():
            found = path.stat()
            with socket.socket(socket.AF_UNIX) as probe:
                seen.add((found.st_mode & 0o777, found.st_gid, probe.connect_ex(str(path)) == 0))

    previous = os.umask(0)
    sys.setprofile(look)
    try:
        fd = listen_at(str(path), Access(None, group, mode), 8)
    finally:
        sys.setprofile(None)
        os.umask(previous)
    look(None, "c_return", None)
    os.close(fd)
    assert {(bits, gid) for bits, gid, connects in seen if connects} == {(mode, group)}
    assert {bits for bits, gid, _ in seen} <= {0o600, mode}
    assert {bits for bits, gid, _ in seen if gid != group} <= {0o600}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_only_a_socket_is_given_to_others(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file"
    file.touch(0o600)
    path = file if kind == "file" else tmp_path / "link"
    if kind == "link":
        path.symlink_to(file)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Socket operation on non-socket"):
        Access(mode=0o777).give(str(path))
    assert os.listdir("/proc/self/fd") == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
