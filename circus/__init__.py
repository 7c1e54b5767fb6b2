"""Circus keeps programs running: processes, their sockets, their output and their control."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    logger: logging.Logger

__version__ = "1.0.0.dev0"


def __getattr__(name: str) -> object:
    """`circus.logger`, for whoever asks: circusctl would start slower by a tenth with it."""
    if name != "logger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import logging

    return logging.getLogger("circus")
