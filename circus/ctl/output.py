"""What circusctl writes: safe on a terminal, whatever the daemon sent."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from circus.commands.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def say(text: str) -> None:
    """A line, or several, as they stand."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """To standard error, with all written out that a terminal would act on."""
    sys.stdout.flush()  # where both end up in one place, they do in their order
    sys.stderr.write(f"{printable_lines(text)}\n")


def printable_lines(text: str) -> str:
    """The same lines with all written out that a terminal would act on."""
    return "\n".join(printable(line) for line in text.split("\n"))


def columns(environ: Mapping[str, str]) -> int:
    """Its width; `shutil` would tell, but takes long to load."""
    try:
        found = int(environ.get("COLUMNS") or os.get_terminal_size(1).columns)
    except (OSError, ValueError):
        found = 0
    return found if found > 0 else 80
