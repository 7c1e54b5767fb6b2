"""Events of circusd as sentences, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.web.pages.page import Page
from circus.web.pages.rows import Tone
from circus.wire import topic_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import falcon

Told = dict[str, Any]

SHOWN = 200
_ENVELOPE = ("time", "seq", "instance", "wid", "process_pid", "exit_code", "how")
_TONES = {
    "spawn": Tone.FINE,
    "start": Tone.FINE,
    "reap": Tone.OFF,
    "stop": Tone.OFF,
}


class EventsPage(Page):
    """`/events`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Those that circusd still has."""
        state = self.state()
        answer = self.ask("events", since=0)
        events = timeline(answer["events"], state.watchers, limit=SHOWN)
        self.show(req, resp, "events.html", live=state, events=events, gone=answer["oldest"] - 1)


def timeline(events: Sequence[Told], watchers: Iterable[str], *, limit: int) -> list[Told]:
    """The last ones, for a list."""
    names = {topic_name(name): name for name in watchers}
    return [_told(one, names) for one in reversed(events[-limit:])]


def _told(event: Told, names: dict[str, str]) -> Told:
    kind, _, rest = event["topic"].partition(".")
    topic, _, what = rest.rpartition(".")
    message = event["message"]
    return {
        "seq": message.get("seq"),
        "at": message.get("time"),
        "watcher": names.get(topic) if kind == "watcher" else None,
        "what": what or kind,
        "tone": _tone(what, message),
        "detail": _detail(message),
    }


def _tone(what: str, message: Told) -> str:
    if message.get("exit_code"):
        return Tone.TROUBLE.value
    return _TONES[what].value if what in _TONES else "note"


def _detail(message: Told) -> str:
    pid = message.get("process_pid")
    worker = f"worker {message['wid']}" if "wid" in message else ""
    known = [worker, f"pid {pid}" if pid else "", message.get("how", "")]
    more = [f"{key} {value}" for key, value in message.items() if key not in _ENVELOPE]
    return ", ".join(str(one) for one in [*known, *more] if one)
