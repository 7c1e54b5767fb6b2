"""The folder of CURVE keys: `server.key_secret`, `server.key`, and `authorized/NAME.key`."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from circus.access import Role
from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

SERVER = "server.key_secret"
AUTHORIZED = "authorized"


class Holder(NamedTuple):
    """Whom a key belongs to, and what its file says that they may do."""

    name: str
    role: Role


class ServerKeys(NamedTuple):
    """The daemon's own pair."""

    public: bytes
    secret: bytes


def server_keys(folder: str) -> ServerKeys:
    """Read the daemon's own. Raises CircusError, which says how to make them. Reads files."""
    path = Path(folder, SERVER)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CircusError(
            f"curve: cannot read {path}: {error.strerror}; "
            f"make keys with: circusctl keygen {folder}"
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise CircusError(
            f"curve: others may read {path}; they may have the key: make another with: "
            f"rm {path} && circusctl keygen {folder}"
        )
    public, secret, _ = read_certificate(path)
    if secret is None:
        raise CircusError(f"curve: {path} has no secret key")
    return ServerKeys(public, secret)


def authorized(folder: str) -> dict[bytes, Holder]:
    """Who may connect, by public key. A file that cannot be read lets nobody in, and is logged."""
    found: dict[bytes, Holder] = {}
    for path in sorted(Path(folder, AUTHORIZED).glob("*.key")):
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


def read_certificate(path: Path) -> tuple[bytes, bytes | None, Mapping[str, str]]:
    """Public key, secret key if it has one, and what else it says. Raises CircusError, OSError."""
    from zmq.auth import load_certificate

    try:
        public, secret = load_certificate(path)
    except ValueError as error:
        raise CircusError(f"{path} holds no key") from error
    return public, secret, _metadata(path)


def _metadata(path: Path) -> dict[str, str]:
    """What pyzmq writes there and does not read."""
    found: dict[str, str] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text and not text.startswith("#") and text == line:
            section = text
        elif section == "metadata" and "=" in text and not text.startswith("#"):
            key, _, value = text.partition("=")
            found[key.strip()] = value.strip().strip("\"'")
    return found
