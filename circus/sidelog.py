"""The log of a process that circusd runs beside itself."""

from __future__ import annotations

import logging
import logging.handlers
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

LEVELS = ("debug", "info", "warning", "error", "critical")
FORMAT = "%(asctime)s %(name)s[%(process)d] [%(levelname)s] %(message)s"
DATES = "%Y-%m-%d %H:%M:%S"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a command line says about it: `log_level` and `log_output`."""
    parser.add_argument(
        "--log-level", type=str.lower, choices=LEVELS, default="info", help="log level"
    )
    parser.add_argument("--log-output", default="-", help="file, or - for standard error")


def configure(args: argparse.Namespace) -> None:
    """Write as these options say. Raises OSError."""
    handler: logging.Handler
    if args.log_output in ("-", "stdout"):
        handler = logging.StreamHandler()
    else:
        handler = logging.handlers.WatchedFileHandler(args.log_output, encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT, DATES))
    logging.basicConfig(handlers=[handler], level=args.log_level.upper())
