"""What programs for circus 0.19 check options of watchers with; nothing of ours does."""

from __future__ import annotations

from circus.commands.options import normal, typed
from circus.config.mapping import changed, is_option
from circus.config.model import WatcherConfig
from circus.config.schema import nearest
from circus.exc import ArgumentError, MessageError

ANY = WatcherConfig(
    name="any",
    cmd="true",
    stdout_stream={"class": "StdoutStream"},
    stderr_stream={"class": "StdoutStream"},
)
"""Options of its streams can be set one by one."""


def convert_option(key: str, val: str) -> object:
    """What a word of a command line stands for. Raises ArgumentError for an unknown option."""
    if not is_option(key) and key != "hooks":
        raise ArgumentError(f"unknown key {key!r}{nearest(WatcherConfig, key)}")
    return typed(key, val)


def validate_option(key: str, val: object) -> None:
    """Raises MessageError for an option that there is not, or a value that it cannot have."""
    try:
        changed(ANY, normal({key: val}))
    except ArgumentError as error:
        raise MessageError(str(error)) from None
