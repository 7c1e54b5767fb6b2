"""Options of a watcher as people and clients write them: words, texts, mappings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from circus.exc import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = ("max_bytes", "backup_count")
"""Sub-options of streams that circus 0.19 compares with numbers."""


def normal(
    options: Mapping[str, object], env: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Options in the form that the configuration takes: `env` and `hooks` as mappings."""
    found: dict[str, object] = {}
    single: dict[str, object] = {}
    for key, value in options.items():
        if key.startswith("env."):
            single[key.removeprefix("env.")] = value
        elif key == "env" and isinstance(value, str):
            found[key] = _env_from_text(value)
        elif key == "hooks" and isinstance(value, str):
            found[key] = _hooks_from_text(value)
        else:
            found[key] = value
    if single:
        base = found.get("env", env or {})
        found["env"] = {**(base if isinstance(base, dict) else dict(env or {})), **single}
    return found


def typed(key: str, text: str) -> object:
    """What a word stands for; circus 0.19 takes no text where it wants a number.

    What does not fit the option is left as it is: the daemon says what is wrong with it.
    """
    from circus.config import kinds
    from circus.config.model import WatcherConfig
    from circus.config.schema import row_of

    row = row_of(WatcherConfig, key)
    try:
        if key == "env":
            return _env_from_text(text)
        if key == "hooks":
            return _hooks_from_text(text)
        if key.partition("_stream.")[2] in _NUMBERS:
            return int(text)
        if row is None or row[0].kind is kinds.HOOK:
            return text
        value = row[0].kind.format(row[0].kind.parse(text))
    except (ArgumentError, ValueError):
        return text
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _env_from_text(text: str) -> dict[str, object]:
    """`A=1,B=2` or a JSON object. A comma is a separator when `NAME=` follows it."""
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"'env' isn't a valid object: {error}") from None
        return dict(value)
    found: dict[str, object] = {}
    name = ""
    for part in text.split(",") if text else []:
        key, equals, value = part.partition("=")
        if equals and key.strip():
            name = key.strip()
            found[name] = value
        elif name:
            found[name] = f"{found[name]},{part}"
        else:
            raise ArgumentError(f"'env' isn't a valid object: {part[:40]!r} is not NAME=value")
    return found


def _hooks_from_text(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split(","):
        name, colon, path = part.partition(":")
        if not colon or not path:
            raise ArgumentError(f"'hooks' isn't a valid hook dict: {part[:40]!r} is not name:path")
        found[name.strip()] = path.strip()
    return found
