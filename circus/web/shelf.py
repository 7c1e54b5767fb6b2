"""What a console keeps between two starts: its key, and one file for several processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)

KEY_BYTES = 32


def folder(state_dir: str | None) -> Path | None:
    """Where to keep something; None for in memory alone, of which the log tells why."""
    if state_dir is None:
        logger.info("Who is logged in is kept in memory: no state_dir is given")
        return None
    found = Path(state_dir)
    if os.access(found, os.R_OK | os.W_OK | os.X_OK):
        return found
    logger.warning("Who is logged in is kept in memory: cannot write to state_dir %s", found)
    return None


def key(where: Path | None) -> bytes:
    """The secret of this console, made once; in memory a new one each time. Raises OSError."""
    made = secrets.token_bytes(KEY_BYTES)
    if where is None:
        return made
    path = where / "key"
    with contextlib.suppress(FileNotFoundError):
        found = path.read_bytes()
        if len(found) == KEY_BYTES:
            return found
    draft = _written(path, made)
    try:
        os.link(draft, path)  # whoever is first wins, and has written all of it
    except FileExistsError:
        if path.stat().st_size != KEY_BYTES:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()


def replace(path: Path, data: bytes) -> None:
    """Write a file that only we can read; anybody who opens it finds all or nothing of it."""
    _written(path, data).replace(path)


def _written(path: Path, data: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return draft


class Shelf:
    """JSON objects by name: in a file that several processes may use at once, or in memory.

    For any number of threads. A file that cannot be read counts as empty.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._items: dict[str, Any] = {}
        self._version: object = None

    def items(self) -> Mapping[str, Any]:
        """As they are now; not to be changed."""
        with self._lock:
            self._refresh()
            return self._items

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """All of them, to be changed; nobody else changes anything meanwhile. Raises OSError."""
        with self._lock, self._alone():
            self._refresh()
            items = dict(self._items)
            yield items
            if self._path is not None and items != self._items:
                replace(self._path, json.dumps(items).encode())
                self._version = self._seen()
            self._items = items

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self._path is None:
            yield
            return
        place = self._path.with_suffix(".lock")
        with open(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _refresh(self) -> None:
        if self._path is None or (seen := self._seen()) == self._version:
            return
        self._version = seen
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError) as error:
            found = {}
            if seen is not None:
                logger.warning("Everybody has to log in again: %s: %s", self._path, error)
        self._items = found if isinstance(found, dict) else {}

    def _seen(self) -> object:
        """What tells one version of the file from another."""
        try:
            found = self._path.stat() if self._path else None
        except FileNotFoundError:
            return None
        return found and (found.st_ino, found.st_mtime_ns, found.st_size)
