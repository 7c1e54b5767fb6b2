"""Which page is found where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.web.pages.act import BulkForm, Toggle, WatcherForm
from circus.web.pages.add import AddWatcher
from circus.web.pages.connect import Connect, Disconnect
from circus.web.pages.events import EventsPage
from circus.web.pages.logs import LogsPage
from circus.web.pages.old import Media
from circus.web.pages.options import OptionsPage
from circus.web.pages.overview import Overview
from circus.web.pages.plan import PlanPage
from circus.web.pages.sockets import Sockets
from circus.web.pages.watcher import WatcherPage

if TYPE_CHECKING:
    from circus.web.application import Application
    from circus.web.parts import Parts


def add_pages(app: Application, parts: Parts) -> None:
    """All of them."""
    one = WatcherForm(parts)
    pages = {
        "/": Overview(parts),
        "/act": BulkForm(parts),
        "/sockets": Sockets(parts),
        "/events": EventsPage(parts),
        "/plan": PlanPage(parts),
        "/add_watcher": AddWatcher(parts),
        "/connect": Connect(parts),
        "/watchers/{part}": WatcherPage(parts),
        "/watchers/{part}/logs": LogsPage(parts),
        "/watchers/{part}/options": OptionsPage(parts),
        "/watchers/{part}/{act}": one,
        # as the console of circus 0.6 had them
        "/disconnect": Disconnect(parts),
        "/media/{file}": Media(),
        "/watchers/{part}/switch_status": Toggle(parts),
        "/watchers/{part}/process/{act}": one,
        "/watchers/{part}/process/{act}/{pid}": one,
    }
    for path, page in pages.items():
        app.add_route(path, page)
