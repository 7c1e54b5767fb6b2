"""What has changed between two JSON objects, as a merge patch (RFC 7396)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    JSON = Mapping[str, Any]


def difference(before: JSON, after: JSON) -> dict[str, Any]:
    """What makes `after` of `before`. Neither may hold a None: that would be a key that is gone."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := difference(old, value):
                patch[key] = inner
        # 1, 1.0 and True are equal, and not the same to who reads them
        elif old != value or type(old) is not type(value):
            patch[key] = value
    return patch


def merged(before: JSON, patch: JSON) -> dict[str, Any]:
    """`before` with that changed; what was given stays as it is."""
    after = dict(before)
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, dict):
            old = after.get(key)
            after[key] = merged(old if isinstance(old, dict) else {}, value)
        else:
            after[key] = value
    return after
