"""The keys that circusd goes by: its own, and those of whoever is let in."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from circus.access import Role
from circus.curve import AUTHORIZED, PUBLIC, SECRET, SERVER, read_certificate
from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Holder(NamedTuple):
    """Whom a key belongs to, and what its file says that they may do."""

    name: str
    role: Role


def server_secret(folder: str) -> bytes:
    """The daemon's own. Raises CircusError, which says how to make one. Reads files."""
    path = Path(folder, f"{SERVER}{SECRET}")
    make = f"make keys with: circusctl keygen {folder}"
    try:
        mode = path.stat().st_mode
        secret = read_certificate(path).secret
    except OSError as error:
        raise CircusError(f"curve: cannot read {path}: {error.strerror}; {make}") from error
    except CircusError as error:
        raise CircusError(f"curve: {error}; rm it, then {make}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise CircusError(
            f"curve: others may read {path}, and may know the key; rm it, then {make}"
        )
    if secret is None:
        raise CircusError(f"curve: {path} holds no secret key; rm it, then {make}")
    return secret


def authorized(folder: str) -> dict[bytes, Holder]:
    """Who may connect, by public key. A file that cannot be read lets nobody in, and is logged."""
    found: dict[bytes, Holder] = {}
    for path in sorted(Path(folder, AUTHORIZED).glob(f"*{PUBLIC}")):
        try:
            public, _, metadata = read_certificate(path)
            found[public] = Holder(metadata.get("name") or path.stem, _role(metadata))
        except (CircusError, OSError) as error:
            logger.warning("Cannot use the key %s: %s", path, error)
    return found


def _role(metadata: Mapping[str, str]) -> Role:
    word = metadata.get("role", Role.ADMIN)
    if word not in list(Role):
        raise CircusError(f"role = {word!r} is not one of {', '.join(Role)}")
    return Role(word)
