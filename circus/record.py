"""What may stand in a line of the record, whatever somebody calls themselves."""

from __future__ import annotations

import json

VALUE_MAX = 100


def plain(text: str) -> str:
    """As a value of `key=value`: quoted when it has blanks and the like, `-` for nothing."""
    text = text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}..."
    safe = text.isascii() and text.isprintable() and not set(text) & set(' "=\\')
    return (text or "-") if safe else json.dumps(text)
