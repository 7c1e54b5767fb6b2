"""The files that browsers fetch once: the address has what they hash to, and so has each that one
of them imports."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "static"


@functools.cache
def prefix() -> str:
    """Where they are; another place when one of them is another. Reads all of them, once."""
    digest = hashlib.sha256()
    for path in sorted(one for one in FOLDER.rglob("*") if one.is_file()):
        digest.update(f"{path.relative_to(FOLDER)}\0".encode() + path.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"
