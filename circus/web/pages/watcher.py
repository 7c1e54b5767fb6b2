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
from circus.wire import topic_name

if TYPE_CHECKING:
    import falcon

Told = dict[str, Any]

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

    def found(self, part: str) -> tuple[str, Any, Row]:
        """Its name, the state of everything, and its row in that. Raises NotFound."""
        name, state = from_path(part), self.state()
        for known, told in state.watchers.items():
            if known.lower() == name.lower():
                return known, state, Row(known, tone(told), told)
        raise NotFound(f"There is no watcher {name!r}")


class WatcherPage(OneWatcher):
    """`/watchers/NAME`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
        """All that circusd tells of it."""
        name, state, row = self.found(part)
        why = self.ask("why", name=name)["watchers"][0]
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

    def _events(self, name: str, state: Any) -> list[Told]:
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
        "memory": octets(told.get("mem_info1")),
        "children": len(told.get("children", ())),
        "story": "; ".join(filter(None, [slot["last"], coming])),
    }


_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def octets(text: str | None) -> float | None:
    """What circusd means by `1.38M`."""
    if not text or text[-1] not in _UNITS:
        return None
    try:
        return float(text[:-1]) * _UNITS[text[-1]]
    except ValueError:
        return None


def sentences(row: Row, why: Told) -> list[str]:
    """Why it is as it is, as far as there is something to say."""
    waits = f"It waits for {why['waits_for']}." if why["waits_for"] else ""
    found = (row.told.trouble, why["halted"], why["unlimited"], waits, row.told.progress)
    return list(dict.fromkeys(text for text in found if text))
