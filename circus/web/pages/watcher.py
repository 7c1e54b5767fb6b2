"""The page of one watcher: its workers, and what there is to do with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from circus.exc import CallError, NotFound
from circus.web.controller import Refused
from circus.web.names import from_path
from circus.web.pages.events import timeline
from circus.web.pages.page import Page
from circus.web.pages.rows import Row, Tone, tone
from circus.web.pages.sockets import sockets_of
from circus.web.state import size_of
from circus.wire import topic_name

if TYPE_CHECKING:
    import falcon

    from circus.web.state import State

Told = dict[str, Any]

NEW = 2.0
"""Seconds after which also a watcher that has just been added is known."""
_TONES = {
    "spawning": Tone.BUSY,
    "starting": Tone.BUSY,
    "ready": Tone.FINE,
    "stopping": Tone.BUSY,
    "backoff": Tone.TROUBLE,
    "failed": Tone.TROUBLE,
}


class OneWatcher(Page):
    """What the pages of one watcher share."""

    def found(self, part: str) -> tuple[Told, State, Row]:
        """What `why` tells of it, the state of everything, and its row in that.

        Raises Refused when there is none of that name, CallError.
        """
        why = self.ask("why", name=from_path(part))["watchers"][0]
        name = why["name"]
        state = self._parts.feed.until(lambda one: name in one.watchers, NEW)
        if name not in state.watchers:
            raise NotFound(f"There is no watcher {name!r} any more")
        told = state.watchers[name]
        return why, state, Row(name, tone(told), told)


class WatcherPage(OneWatcher):
    """`/watchers/NAME`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
        """All that circusd tells of it."""
        why, state, row = self.found(part)
        name = row.name
        slots = slots_of(why, self._infos(name))
        self.show(
            req,
            resp,
            "watcher.html",
            live=state,
            name=name,
            here="",
            row=row,
            slots=slots,
            sentences=sentences(row, why),
            sockets=self._sockets(name),
            events=self._events(name, state),
            hint=req.get_param_as_bool("hint"),
        )

    def _infos(self, name: str) -> Told:
        try:
            found: Told = self.ask("stats", name=name)["info"]
        except Refused:
            return {}
        return found

    def _sockets(self, name: str) -> list[Told]:
        options = self.ask("options", name=name)["options"]
        used = {*options["sockets"], options["stdin_socket"]}
        text = f"{options['cmd']} {options['args']}"
        return [
            one
            for one in sockets_of(self.ask("listsockets")["sockets"])
            if one["name"] in used or f"$(circus.sockets.{one['name']})" in text.lower()
        ]

    def _events(self, name: str, state: State) -> list[Told]:
        try:
            answer = self.ask("events", since=0, topics=[f"watcher.{topic_name(name)}."])
        except (CallError, Refused):
            return []
        return timeline(answer["events"], state.watchers, limit=20)


def slots_of(why: Told, infos: Told) -> list[Told]:
    """What each worker does and uses, for a table."""
    now = time.time()
    return [_slot(slot, infos.get(str(slot["pid"])), now) for slot in why["slots"]]


def _slot(slot: Told, info: Any, now: float) -> Told:
    told = info if isinstance(info, dict) else {}
    coming = "" if slot["next"] == "nothing" else slot["next"]
    return {
        **slot,
        "tone": _TONES.get(slot["state"], Tone.OFF).value,
        "at": now - slot["since"],
        "cpu": told.get("cpu"),
        "memory": size_of(str(told.get("mem_info1", ""))),
        "children": len(told.get("children", ())),
        "story": "; ".join(filter(None, [slot["last"], coming])),
    }


def sentences(row: Row, why: Told) -> list[str]:
    """Why it is as it is, as far as there is something to say."""
    waits = f"It waits for {why['waits_for']}." if why["waits_for"] else ""
    found = (row.told.trouble, why["halted"], why["unlimited"], waits, row.told.progress)
    return list(dict.fromkeys(text for text in found if text))
