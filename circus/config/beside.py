"""What all have in common that circusd runs beside itself: statistics, the console, plugins."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circus.config.model import CircusConfig


def arguments(circus: CircusConfig) -> tuple[str, ...]:
    """What tells each of them how to reach circusd, and what to log with `debug`."""
    # in one word: what begins with a dash is no option of theirs
    ssh = () if circus.ssh_server is None else (f"--ssh={circus.ssh_server}",)
    return (*ssh, *(("--log-level", "debug") if circus.debug else ()))


def options(circus: CircusConfig, *, closed: bool = False) -> dict[str, Any]:
    """Of the watcher that runs one. `closed`: what it says goes nowhere, but for `debug`."""
    # with `debug` what they say goes where circusd's own output does
    stream = {"class": "StdoutStream"} if circus.debug else {}
    return {
        "singleton": True,
        "copy_env": True,
        "copy_path": True,
        # what is left of a circusd that was killed is not to act beside that of the next one
        "parent_death_signal": signal.SIGTERM,
        "close_child_stdout": closed and not circus.debug,
        "close_child_stderr": closed and not circus.debug,
        "stdout_stream": stream,
        "stderr_stream": stream,
    }
