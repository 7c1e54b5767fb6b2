"""What the forms of pages bring along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import falcon

FORM = "application/x-www-form-urlencoded"


def fields(req: falcon.Request) -> dict[str, str]:
    """What each field holds; one that is there twice counts for nothing, as does another body."""
    return {name: value for name, value in _sent(req).items() if isinstance(value, str)}


def several(req: falcon.Request, name: str) -> list[str]:
    """What a field holds that may be there more than once."""
    found = _sent(req).get(name, [])
    return [found] if isinstance(found, str) else found


def _sent(req: falcon.Request) -> dict[str, Any]:
    """Of other kinds of body not a byte is looked into."""
    if (req.content_type or "").partition(";")[0].strip().lower() != FORM:
        return {}
    found: dict[str, Any] = req.get_media(default_when_empty={})
    return found
