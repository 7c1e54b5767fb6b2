"""Nothing that we write to makes us wait, and for others it stays as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from circus.host.unblocked import unblocked

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pipe_waits_for_others_only() -> None:
    reading, writing = os.pipe()
    ours = unblocked(writing)
    assert (os.get_blocking(ours), os.get_blocking(writing)) == (False, True)
    os.write(ours, b"written")
    assert os.read(reading, 20) == b"written"
    for fd in (reading, writing, ours):
        os.close(fd)


def test_what_cannot_be_opened_once_more_is_shared_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR)
    writing = os.open(path, os.O_WRONLY)
    os.close(both)  # nobody reads, so the kernel opens it for nobody who does not wait
    ours = unblocked(writing)
    assert os.path.sameopenfile(ours, writing)
    assert os.get_blocking(ours)
    os.close(writing)
    os.close(ours)
