"""Names that programs written for older versions of Circus import; nothing of ours does.

Each is what it was, made of what the rest of Circus is made of.
"""

from __future__ import annotations

import logging
import os
import pwd
import sys
import time
from typing import TYPE_CHECKING, Any

from psutil import AccessDenied, NoSuchProcess

from circus import logs
from circus.config import kinds
from circus.endpoints import TCP_CONTROL
from circus.exc import ConflictError
from circus.gauges import process as gauge
from circus.host import identity
from circus.resolve import ImportStringError, resolve_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

__all__ = [
    "AccessDenied",
    "ConflictError",
    "ImportStringError",
    "NoSuchProcess",
    "bytes2human",
    "check_future_exception_and_log",
    "close_on_exec",
    "configure_logger",
    "convert_opt",
    "env_to_str",
    "get_default_gid",
    "get_info",
    "get_python_version",
    "get_username_from_uid",
    "get_working_dir",
    "human2bytes",
    "parse_env_dict",
    "parse_env_str",
    "resolve_name",
    "to_bool",
    "to_bytes",
    "to_gid",
    "to_signum",
    "to_str",
    "to_uid",
]

DEFAULT_ENDPOINT_DEALER = TCP_CONTROL
DEFAULT_ENDPOINT_SUB = "tcp://127.0.0.1:5556"
DEFAULT_ENDPOINT_STATS = "tcp://127.0.0.1:5557"
DEFAULT_ENDPOINT_MULTICAST = "udp://237.219.251.97:12027"
LOG_LEVELS = logs.LEVELS
LOG_FMT = logs.FORMAT
TRUTHY_STRINGS = tuple(sorted(kinds.TRUE))
FALSY_STRINGS = tuple(sorted(kinds.FALSE))
MAXFD = 1024
REDIRECT_TO = os.devnull
IS_WINDOWS = False

UNITS = "BKMGTPEZY"


def bytes2human(n: int) -> str:
    """100B, 9.77K, 2.00G. Raises TypeError."""
    if not isinstance(n, int):
        raise TypeError(f"{n!r} is not a number of bytes")
    return gauge.human(n)


def human2bytes(s: str) -> int:
    """The other way round; the unit has to be there. Raises ValueError, TypeError."""
    if not isinstance(s, str):
        raise TypeError(f"{s!r} is not text")
    number, unit = s.strip()[:-1].strip(), s.strip()[-1:].upper()
    if not unit or unit not in UNITS or not kinds.DECIMAL.fullmatch(number):
        raise ValueError(f"{s!r} is not a size such as 9.77K")
    return int(float(number) * 1024 ** UNITS.index(unit))


def to_bool(s: object) -> bool:
    """Raises ValueError."""
    found: bool = kinds.BOOLEAN.parse(s)
    return found


def to_signum(signum: str | int) -> int:
    """A number, or a name with or without SIG. Raises ValueError."""
    number: int = kinds.SIGNAL.parse(signum)
    return number


def to_uid(name: str | int) -> int:
    """Raises ValueError, TypeError. May block on a name service."""
    return _looked_up(identity.uid_of, name)


def to_gid(name: str | int) -> int:
    """Raises ValueError, TypeError. May block on a name service."""
    return _looked_up(identity.gid_of, name)


def _looked_up(look: Any, name: str | int) -> int:
    if not isinstance(name, (str, int)):
        raise TypeError(f"{name!r} is not a name or a number")
    try:
        number: int = look(kinds.IDENTIFIER.parse(name))
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(str(error)) from error
    return number


def get_default_gid(uid: str | int) -> int:
    """The group of a user, by number or name. Raises KeyError. May block on a name service."""
    return (pwd.getpwuid(uid) if isinstance(uid, int) else pwd.getpwnam(uid)).pw_gid


def get_username_from_uid(uid: str | int) -> str:
    """A name stays as it is. Raises KeyError. May block on a name service."""
    return pwd.getpwuid(uid).pw_name if isinstance(uid, int) else uid


def close_on_exec(fd: int) -> None:
    """Have no program that we start inherit it."""
    os.set_inheritable(fd, False)  # noqa: FBT003 it has no name there


def get_python_version() -> tuple[int, int, int]:
    """Such as (3, 11, 2)."""
    return sys.version_info[:3]


def to_str(s: str | bytes) -> str:
    """Text of bytes."""
    return s if isinstance(s, str) else s.decode("utf-8", "replace")


def to_bytes(s: str | bytes) -> bytes:
    """Bytes of text."""
    return s if isinstance(s, bytes) else s.encode()


def parse_env_str(env_str: str) -> dict[str, str]:
    """`A=1,B=2` as a mapping. Raises ValueError."""
    found: dict[str, str] = kinds.ENVIRONMENT.parse(env_str)
    return parse_env_dict(found)


def parse_env_dict(env: Mapping[str, str]) -> dict[str, str]:
    """Without the blanks around names and values."""
    return {name.strip(): value.strip() for name, value in env.items()}


def env_to_str(env: Mapping[str, str]) -> str:
    """`A=1,B=2`, by name."""
    return ",".join(f"{name}={value}" for name, value in sorted(env.items()))


def convert_opt(key: str, val: object) -> str:
    """A value of an option as text."""
    if key == "env" and isinstance(val, dict):
        return env_to_str(val)
    return "" if val is None else str(val)


def get_working_dir() -> str:
    """The current folder under the name that the shell has for it, if that is right."""
    named = os.environ.get("PWD", "")
    try:
        if os.path.isabs(named) and os.path.samefile(named, os.getcwd()):
            return named
    except OSError:
        pass
    return os.getcwd()


def get_info(
    process: Any = None,
    interval: float = 0,
    with_childs: bool = False,  # noqa: FBT001, FBT002
) -> dict[str, Any] | str:
    """What `stats` tells of a process: a pid, something with one, or nothing for our own.

    `interval`: measure the share of the processor for so many seconds, which blocks that long.
    """
    pid = os.getpid() if process is None else int(getattr(process, "pid", process))
    before = gauge.usage(pid) if interval else None
    sample = None
    if before is not None:
        sample = (float(before["busy"]), time.monotonic())
        # a thread that sleeps: there is nothing to wait for but the time
        time.sleep(interval)  # noqa: TID251
    found = gauge.usage(pid, sample)
    if found is None:
        return gauge.GONE
    del found["busy"]
    if with_childs:
        from circus.host import tree

        found["children"] = [get_info(child.pid, interval) for child in tree.children(pid)]
    return found


def configure_logger(
    logger: logging.Logger,
    level: str = "info",
    output: str | None = "-",
    loggerconfig: str | None = None,
    name: str | None = None,
) -> None:
    """Log as circusd does, to where it says; `logger` and `name` make no difference.

    Raises CircusError.
    """
    logs.configure(level.lower(), output or "-", loggerconfig)


def check_future_exception_and_log(future: Future[Any]) -> BaseException | None:
    """What an action failed with, logged; None when it did not, or is not done."""
    if not future.done() or future.cancelled():
        return None
    error = future.exception()
    if error is not None:
        logging.getLogger("circus").error("%s", error, exc_info=error)
    return error
