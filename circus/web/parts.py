"""What every resource of the console is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from circus.web.audit import Audit
    from circus.web.controller import Controller
    from circus.web.render import Renderer
    from circus.web.sessions import Sessions
    from circus.web.settings import Settings
    from circus.web.users import Users


class Parts(NamedTuple):
    """One of each, for all requests."""

    settings: Settings
    controller: Controller
    render: Renderer
    sessions: Sessions
    audit: Audit
    users: Users
