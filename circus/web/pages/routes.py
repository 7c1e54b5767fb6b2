"""Which page is found where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.web.pages.act import BulkForm, Toggle, WatcherForm
from circus.web.pages.events import EventsPage
from circus.web.pages.overview import Overview
from circus.web.pages.sockets import Sockets
from circus.web.pages.watcher import WatcherPage

if TYPE_CHECKING:
    from circus.web.application import Application
    from circus.web.parts import Parts


def add_pages(app: Application, parts: Parts) -> None:
    """All of them."""
    app.add_route("/", Overview(parts))
    app.add_route("/act", BulkForm(parts))
    app.add_route("/sockets", Sockets(parts))
    app.add_route("/events", EventsPage(parts))
    app.add_route("/watchers/{part}", WatcherPage(parts))
    app.add_route("/watchers/{part}/switch_status", Toggle(parts))
    one = WatcherForm(parts)
    app.add_route("/watchers/{part}/{act}", one)
    # as the console of circus 0.6 had them
    app.add_route("/watchers/{part}/process/{act}", one)
    app.add_route("/watchers/{part}/process/{act}/{pid}", one)
