"""What a console keeps between two starts: its key, and one file for several processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import stat
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
    """Write a file that only we can read, or those who could before; all or nothing of it."""
    draft = _written(path, data)
    with contextlib.suppress(FileNotFoundError, PermissionError):
        before = path.stat()
        os.chown(draft, before.st_uid, before.st_gid)
        draft.chmod(stat.S_IMODE(before.st_mode))
    draft.replace(path)


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
        self._complaint: str | None = None

    def items(self) -> Mapping[str, Any]:
        """As they are now; not to be changed."""
        with self._lock:
            self._refresh()
            return self._items

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """All of them, to be changed; nobody else changes anything meanwhile.

        Where nothing can be written, it holds for this process, and the log tells.
        """
        with self._lock, self._alone():
            self._refresh()
            items = dict(self._items)
            yield items
            if items != self._items:
                self._items = items
                self._save()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            try:
                if self._path is not None:
                    place = self._path.with_suffix(".lock")
                    fd = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600)
                    fcntl.flock(held.enter_context(open(fd, "wb")), fcntl.LOCK_EX)
            except OSError as error:
                self._complain(error)
            yield

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            replace(self._path, json.dumps(self._items).encode())
            self._version = self._seen()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        said, self._complaint = self._complaint, error.strerror
        if said != self._complaint:
            logger.error(
                "A restart will forget who has logged in or out: cannot write %s: %s",
                self._path, error.strerror,
            )  # fmt: skip

    def _refresh(self) -> None:
        if self._path is None or (seen := self._seen()) == self._version:
            return
        self._version = seen
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
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
