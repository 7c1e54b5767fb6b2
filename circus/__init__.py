"""Circus keeps programs running: processes, their sockets, their output and their control."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from circus.handler import ArbiterHandler, get_arbiter

    logger: logging.Logger

__all__ = ["ArbiterHandler", "__version__", "get_arbiter", "logger"]

__version__ = "1.0.0.dev0"


def __getattr__(name: str) -> object:
    """What is there for whoever asks: circusctl would start slower with it."""
    if name in ("ArbiterHandler", "get_arbiter"):
        from importlib import import_module

        return getattr(import_module("circus.handler"), name)
    if name == "logger":
        import logging

        return logging.getLogger("circus")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
