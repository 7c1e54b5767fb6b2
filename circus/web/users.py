"""The file of users with passwords, and of tokens: one `NAME:ROLE:secret` on a line."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import threading
from pathlib import Path
from typing import NamedTuple

from circus.access import Role
from circus.exc import CircusError
from circus.web.shelf import replace
from circus.web.visitor import METRICS

logger = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
ROLES = (METRICS, *Role)
PASSWORD_MOST = 1024
"""Bytes; a longer one is refused before anything is done with it."""
COST, BLOCK, LANES = 2**15, 8, 1
"""Of scrypt: 32 MiB, and a tenth of a second of a processor of today."""
MEMORY_MOST = 256 * 1024 * 1024
AT_ONCE = 2
"""Passwords that are looked into at the same time."""
WAITING = 8
"""Further ones that wait for their turn; they hold threads meanwhile."""
NOBODY = f"scrypt${COST}${BLOCK}${LANES}${'A' * 22}==${'A' * 43}="
"""The secret of no password: to look into it costs what somebody's does."""
TOKEN = "circus_"  # noqa: S105 what tokens begin with, so that they are known where they leak

OPEN = "others may read %s, and try passwords on what they hash to; do: chmod o-r %s"


class Busy(CircusError):
    """Too many passwords are being looked into."""


class Entry(NamedTuple):
    """A line of the file."""

    name: str
    role: str
    """One of ROLES."""
    secret: str
    """What a password or a token hashes to, and how."""

    @property
    def stamp(self) -> str:
        """Another one after the password was changed."""
        return hashlib.sha256(self.secret.encode()).hexdigest()[:16]


class Users:
    """Reads the file again when it has changed. For any number of threads."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self._version: object = None
        self._entries: dict[str, Entry] = {}
        self._places = threading.Semaphore(AT_ONCE + WAITING)
        self._turns = threading.Semaphore(AT_ONCE)

    def find(self, name: str) -> Entry | None:
        """Somebody with a password."""
        found = self._read().get(name)
        return found if found and found.secret.startswith("scrypt$") else None

    def holder(self, token: str) -> Entry | None:
        """Whose token it is."""
        secret = token_secret(token)
        for one in self._read().values():
            if hmac.compare_digest(one.secret, secret):
                return one
        return None

    def check(self, name: str, password: str) -> Entry | None:
        """Who it is, if the password is theirs. Blocks; for nobody as long as for somebody.

        Raises Busy.
        """
        data = password.encode("utf-8", "surrogatepass")
        if len(data) > PASSWORD_MOST:
            return None
        found = self.find(name)
        if not self._places.acquire(blocking=False):
            raise Busy("too many people log in at the moment; try again soon")
        try:
            with self._turns:
                right = is_password(data, found.secret if found else NOBODY)
        finally:
            self._places.release()
        return found if right else None

    def _read(self) -> dict[str, Entry]:
        if self.file is None:
            return {}
        try:
            seen = os.stat(self.file)
            version = seen.st_ino, seen.st_mtime_ns, seen.st_size, seen.st_mode
            if version != self._version:
                self._entries, self._version = entries(self.file), version
                if seen.st_mode & stat.S_IROTH:
                    logger.warning(OPEN, self.file, self.file)
        except (OSError, CircusError) as error:
            if self._version != str(error):
                logger.warning("Nobody can log in with a password or a token: %s", error)
            self._entries, self._version = {}, str(error)
        return self._entries


def entries(file: str) -> dict[str, Entry]:
    """By name. Raises CircusError for what cannot be used, OSError."""
    mode = os.stat(file).st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CircusError(f"others may write to {file}; do: chmod go-w {file}")
    found: dict[str, Entry] = {}
    for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, role, secret = [*(part.strip() for part in line.split(":")), "", ""][:3]
        if not NAME.fullmatch(name) or role not in ROLES or not SECRET.fullmatch(secret):
            raise CircusError(f"{file}:{number}: this is no line that circushttpd passwd writes")
        if name in found:
            raise CircusError(f"{file}:{number}: there is a {name} above already")
        found[name] = Entry(name, role, secret)
    return found


def put(file: str, entry: Entry) -> None:
    """Add an entry, or replace the one of that name. Raises CircusError, OSError.

    The file stays whose it was, and a new one belongs to us alone. Blocks while others do the same.
    """
    path = Path(file)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # the file itself is another one afterwards
        others = entries(file) if path.exists() else {}
        lines = [":".join(one) for one in {**others, entry.name: entry}.values()]
        replace(path, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(folder)


# -- secrets ------------------------------------------------

SECRET = re.compile(
    r"scrypt\$\d{1,7}\$\d{1,2}\$\d{1,2}\$[\w+/=]+\$[\w+/=]+|token\$[0-9a-f]{64}", re.ASCII
)


def password_secret(password: bytes) -> str:
    """What is written down of a password. Blocks."""
    salt = secrets.token_bytes(16)
    numbers = f"{COST}${BLOCK}${LANES}"
    return f"scrypt${numbers}${_text(salt)}${_text(_scrypt(password, salt, COST, BLOCK, LANES))}"


def is_password(password: bytes, secret: str) -> bool:
    """Whether a password is the one of which this was written down. Blocks."""
    _, cost, block, lanes, salt, wanted = secret.split("$")
    try:
        found = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
        return hmac.compare_digest(found, base64.b64decode(wanted))
    except ValueError as error:  # numbers that scrypt does not take
        logger.warning("Cannot look into a password: %s", error)
        return False


def new_token() -> str:
    """256 bits."""
    return f"{TOKEN}{secrets.token_urlsafe(32)}"


def token_secret(token: str) -> str:
    """What is written down of a token, which nobody can guess, so that one hash is enough."""
    return f"token${hashlib.sha256(token.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _scrypt(password: bytes, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password, salt=salt, n=cost, r=block, p=lanes, maxmem=MEMORY_MOST, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
