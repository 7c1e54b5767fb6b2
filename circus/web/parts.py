"""What every resource of the console is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from circus.web.controller import Controller
    from circus.web.render import Renderer
    from circus.web.settings import Settings


class Parts(NamedTuple):
    """One of each, for all requests."""

    settings: Settings
    controller: Controller
    render: Renderer
