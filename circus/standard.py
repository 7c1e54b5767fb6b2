"""Programs may be started without standard input, output or error: by a service, or with `>&-`."""

from __future__ import annotations

import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By their numbers."""


def open_what_is_closed() -> None:
    """Have /dev/null there, before something else gets the number and is written to."""
    while (fd := os.open(os.devnull, os.O_RDWR)) < len(STREAMS):
        os.set_inheritable(fd, True)  # noqa: FBT003 a standard function
    os.close(fd)
    for number, (name, mode) in enumerate(STREAMS):
        if getattr(sys, name) is None:
            file = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 it stays open
            setattr(sys, name, file)
