"""Which endpoint is looked for, and what is told of one that cannot be had."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from circus.reach import find_endpoint, unreachable
from tests.support import being, needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

US, THEM = 60031, 60032


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket that anybody may connect to."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        path.chmod(0o777)
        sock.listen(0)
        yield sock


@needs_root
@pytest.mark.parametrize(
    ("owner", "found"), [(US, True), (0, True), (THEM, False)], ids=["ours", "root's", "theirs"]
)
def test_a_folder_that_somebody_else_may_have_made_is_no_place_to_look(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: int,
    found: bool,  # noqa: FBT001 a plain fact
) -> None:
    folder.chmod(0o1777)  # as /tmp is
    made = folder / f"circus-{US}"
    made.mkdir()
    os.chown(made, owner, owner)
    for name in ("CIRCUSCTL_ENDPOINT", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(folder))
    with listening(made / "control"), being(US):
        assert (find_endpoint() == f"ipc://{made}/control") is found


@needs_root
def test_of_what_cannot_be_looked_at_nobody_knows_the_owner(folder: Path) -> None:
    endpoint = f"ipc://{folder}/control"
    with listening(folder / "control"), being(US):
        assert unreachable(endpoint) == (
            f"Permission denied on {endpoint}; it belongs to another user."
        )


def test_one_that_many_wait_for_is_there(folder: Path) -> None:
    with listening(folder / "control"), contextlib.ExitStack() as before:
        with contextlib.suppress(BlockingIOError):
            while True:
                kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
                sock = before.enter_context(socket.socket(socket.AF_UNIX, kind))
                sock.connect(str(folder / "control"))
        assert unreachable(f"ipc://{folder}/control") is None
