"""What whoever starts the console by hand is told: a link that lets them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.web.address import EVERYWHERE, Site
from circus.web.settings import HOST

if TYPE_CHECKING:
    from circus.web.parts import Parts
    from circus.web.settings import Settings


def address(settings: Settings) -> str:
    """Where a browser finds the console."""
    host = HOST if settings.host in EVERYWHERE else settings.host
    return settings.url or Site("http", host, settings.port).origin


def welcome(parts: Parts) -> str:
    """Whom the link is for is who we are for circusd. Blocks until circusd answers, or does not."""
    try:
        found = parts.controller.call("console-login", url=address(parts.settings))
    except CircusError as error:
        return f"No link to log in with yet: {error}\nLater: circusctl console-login"
    minutes = found["seconds"] / 60
    return f"Log in within {minutes:g} minutes, once: {found['link']}"
