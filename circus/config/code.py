"""Where the code of users is that a configuration names."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig


def folders(config: WatcherConfig, path: str | None) -> list[str]:
    """Where else it is looked for: PYTHONPATH of the watcher, beside the file, where we are."""
    return [one for one in config.env.get("PYTHONPATH", "").split(os.pathsep) if one] + beside(path)


def beside(path: str | None) -> list[str]:
    """The folder of the file, when there is one, and the one that we are in."""
    found = [] if path is None else [os.path.dirname(os.path.abspath(path))]
    with contextlib.suppress(FileNotFoundError):
        found.append(os.getcwd())
    return found
