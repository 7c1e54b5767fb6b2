"""Make keys on this machine."""

from __future__ import annotations

from circus.ctl.output import say
from circus.curve import AUTHORIZED, SECRET, SERVER, make_keys


def keygen(folder: str, name: str | None = None, grants: str = "admin") -> int:
    """Tell what was made and what to do with it."""
    made = make_keys(folder, name, grants)
    for path in made:
        say(f"made {path}")
    if name is None and not made:
        say(f"there are keys in {folder}; circusctl keygen {folder} NAME makes one for somebody")
    if name is not None:
        say(
            f"give {name}{SECRET} and {SERVER}.key to {name}, for circusctl --curve {name}{SECRET};"
            f"\n{AUTHORIZED}/{name}.key stays, and lets {name} in until it is removed"
        )
    return 0
