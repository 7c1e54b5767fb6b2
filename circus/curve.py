"""Files of CURVE keys, in the format of ZeroMQ's certificates.

`circusctl keygen` makes them: `server.key_secret` and `server.key` for circusd, and for whoever is
let in `authorized/NAME.key`, which stays there, and `NAME.key_secret`, which is handed to them
together with `server.key`.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER = "server"
SECRET = ".key_secret"  # noqa: S105 the end of a file's name
PUBLIC = ".key"
AUTHORIZED = "authorized"
KEY_BYTES = 32


class Certificate(NamedTuple):
    """What a file holds; the keys in the 40 characters of Z85."""

    public: bytes
    secret: bytes | None
    metadata: Mapping[str, str]


class ClientKeys(NamedTuple):
    """What a client needs: its own pair, and whom it is to trust."""

    public: bytes
    secret: bytes
    server: bytes


def read_certificate(path: Path) -> Certificate:
    """Raises CircusError for a file that holds no key, and OSError."""
    sections: dict[str, dict[str, str]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.split("#")[0].rstrip() if line.lstrip().startswith("#") else line.rstrip()
        key, equals, value = text.partition("=")
        if equals and text != text.lstrip():
            sections.setdefault(section, {})[key.strip()] = value.strip(" \t'\"")
        elif text:
            section = text
    keys = sections.get("curve", {})
    if not _is_key(keys.get("public-key", "")):
        raise CircusError(f"{path} holds no key")
    secret = keys.get("secret-key")
    if secret is not None and not _is_key(secret):
        raise CircusError(f"{path} holds a secret key that was changed or cut off")
    return Certificate(
        keys["public-key"].encode(),
        None if secret is None else secret.encode(),
        sections.get("metadata", {}),
    )


def _is_key(text: str) -> bool:
    from zmq.utils import z85

    try:
        return len(z85.decode(text)) == KEY_BYTES
    except (KeyError, ValueError, struct.error):  # a strange letter, too few, too big a number
        return False


def client_keys(where: str) -> ClientKeys:
    """Those of a secret file, or of a folder with one, beside `server.key`. Raises CircusError."""
    path = Path(where)
    try:
        if path.is_dir():
            path = _only_secret(path)
        own = read_certificate(path)
        server = read_certificate(path.parent / f"{SERVER}{PUBLIC}")
    except OSError as error:
        raise CircusError(f"cannot read the key {error.filename}: {error.strerror}") from error
    if own.secret is None:
        raise CircusError(f"{path} holds no secret key; NAME{SECRET} is the file that does")
    return ClientKeys(own.public, own.secret, server.public)


def _only_secret(folder: Path) -> Path:
    found = [one for one in folder.glob(f"*{SECRET}") if one.name != f"{SERVER}{SECRET}"]
    if len(found) != 1:
        many = "no" if not found else "more than one"
        raise CircusError(f"{folder} holds {many} NAME{SECRET}; name the file")
    return found[0]


def make_keys(folder: str, name: str | None, role: str) -> list[Path]:
    """The server's pair unless it is there, and one for `name`. Gives the files made.

    Nobody else can read them, from their first instant on. Raises CircusError when there is one of
    that name.
    """
    place = Path(folder)
    made: list[Path] = []
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        (place / AUTHORIZED).mkdir(mode=0o700, exist_ok=True)
        if not (place / f"{SERVER}{SECRET}").exists():
            made += _make_pair(place / f"{SERVER}{SECRET}", place / f"{SERVER}{PUBLIC}", {})
        if name is not None:
            _refuse_name(name)
            public = place / AUTHORIZED / f"{name}{PUBLIC}"
            made += _make_pair(place / f"{name}{SECRET}", public, {"name": name, "role": role})
    except OSError as error:
        raise CircusError(f"cannot make {error.filename}: {error.strerror}") from error
    return made


def _refuse_name(name: str) -> None:
    if name == SERVER or not name.isprintable() or set(name) & set("/=#\"'") or name[0] == ".":
        raise CircusError(f"a key cannot be called {name!r}")


def _make_pair(secret: Path, public: Path, metadata: Mapping[str, str]) -> list[Path]:
    import zmq

    keys = zmq.curve_keypair()
    _write(secret, metadata, {"public-key": keys[0], "secret-key": keys[1]})
    _write(public, metadata, {"public-key": keys[0]})
    return [secret, public]


def _write(path: Path, metadata: Mapping[str, str], keys: Mapping[str, bytes]) -> None:
    lines = ["metadata", *(f"    {key} = {value}" for key, value in metadata.items())]
    lines += ["curve", *(f'    {name} = "{key.decode()}"' for name, key in keys.items()), ""]
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
