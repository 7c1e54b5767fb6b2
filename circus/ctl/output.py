"""What circusctl writes: safe on a terminal, whatever the daemon sent."""

from __future__ import annotations

import sys

from circus.commands.text import printable


def say(text: str) -> None:
    """A line, or several, as they stand."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """To standard error, with all written out that a terminal would act on."""
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
