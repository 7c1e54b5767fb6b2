"""Where the daemon's own log goes."""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import sys
from pathlib import Path
from urllib.parse import urlsplit

from circus.exc import CircusError

FORMAT = "%(asctime)s %(name)s[%(process)d] [%(levelname)s] %(message)s"
DATES = "%Y-%m-%d %H:%M:%S"
SYSLOG_DATES = "%b %d %H:%M:%S"
LEVELS = {
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


class _OneName(logging.Formatter):
    """Every line is the daemon's, whichever of its modules wrote it."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith("circus."):
            record.name = "circus"
        return super().format(record)


def configure(level: str, output: str, loggerconfig: str | None) -> None:
    """Replace the root logger's handlers. Raises CircusError.

    `output` is `-` (standard error), a file (opened anew after it was moved away), or
    `syslog://host[:port][?facility]`, `syslog:///path[?facility]`.
    """
    if loggerconfig and loggerconfig.lower() != "default":
        _from_file(loggerconfig)
        return
    dates = SYSLOG_DATES if output.startswith("syslog://") else DATES
    try:
        handler = _handler(output)
    except OSError as error:
        raise CircusError(f"cannot log to {output!r}: {error.strerror or error}") from error
    handler.setFormatter(_OneName(FORMAT, dates))
    root = logging.getLogger()
    for previous in root.handlers[:]:
        root.removeHandler(previous)
        previous.close()
    root.addHandler(handler)
    root.setLevel(LEVELS.get(level.lower(), logging.INFO))


def reopen() -> None:
    """Open log files anew, after they were moved away."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.handlers.WatchedFileHandler):
            handler.reopenIfNeeded()


def _handler(output: str) -> logging.Handler:
    if output in ("-", "stdout"):
        return logging.StreamHandler(sys.stderr)
    if not output.startswith("syslog://"):
        return logging.handlers.WatchedFileHandler(output, encoding="utf-8")
    parts = urlsplit(output)
    facilities = logging.handlers.SysLogHandler.facility_names
    facility = facilities.get(parts.query, facilities["user"])
    address = (parts.hostname, parts.port or 514) if parts.hostname else parts.path
    return logging.handlers.SysLogHandler(address, facility)


def _from_file(name: str) -> None:
    path = Path(name)
    try:
        if path.suffix.lower() == ".ini":
            logging.config.fileConfig(name, disable_existing_loggers=True)
            return
        logging.config.dictConfig(_mapping(path))
    except CircusError:
        raise
    except Exception as error:
        raise CircusError(f"cannot use loggerconfig {name!r}: {error}") from error


def _mapping(path: Path) -> dict[str, object]:
    import json

    suffix = path.suffix.lower()
    text = path.read_text(encoding="utf-8")
    if suffix == ".json":
        found: dict[str, object] = json.loads(text)
        return found
    if suffix == ".yaml":
        try:
            import yaml  # type: ignore[import-untyped,unused-ignore]
        except ImportError:
            raise CircusError(f"cannot read {str(path)!r}: PyYAML is not installed") from None
        loaded: dict[str, object] = yaml.safe_load(text)
        return loaded
    raise CircusError(f"cannot use loggerconfig {str(path)!r}: not .ini, .json or .yaml")
