"""Circus keeps programs running: processes, their sockets, their output and their control."""

import logging

__version__ = "1.0.0.dev0"

logger = logging.getLogger("circus")
