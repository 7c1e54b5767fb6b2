"""What every resource of the console is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from circus.web.audit import Audit
    from circus.web.controller import Controller
    from circus.web.feed import Feed
    from circus.web.render import Renderer
    from circus.web.sessions import Sessions
    from circus.web.settings import Settings
    from circus.web.streams import Streams
    from circus.web.users import Users


class Parts(NamedTuple):
    """One of each, for all requests."""

    settings: Settings
    controller: Controller
    render: Renderer
    sessions: Sessions
    audit: Audit
    users: Users
    feed: Feed
    streams: Streams

    def close(self) -> None:
        """Let everybody go who waits for news, then circusd. Blocks for a few seconds at most."""
        self.feed.close()
        self.controller.close()
