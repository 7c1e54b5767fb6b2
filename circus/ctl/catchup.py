"""Events in their order, each once, whatever got lost on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from circus.exc import CallError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Show = Callable[[str, str], None]
    Ask = Callable[..., dict[str, Any]]

ERRNO_UNKNOWN_COMMAND = 2


class CatchUp:
    """Shows events as they come, and asks for those that it did not see.

    `ask` puts a question to the daemon; `show` gets topic and message, `warn` what is missing.
    Without `since`, it begins with what happens from now on. A daemon that knows no `events`, as
    circus 0.19, is taken as it is.
    """

    def __init__(
        self,
        ask: Ask,
        show: Show,
        warn: Callable[[str], None],
        topics: Sequence[str] = (),
        since: int | None = None,
        instance: str | None = None,
    ) -> None:
        self._ask = ask
        self._show = show
        self._warn = warn
        self._topics = tuple(topics) or ("",)
        self._last = since
        self._instance = instance
        self._able = True

    def connected(self) -> None:
        """A connection stands, the first or another one: something may have been told before."""
        self._ask_for_more()

    def came(self, topic: str, text: str) -> None:
        """An event was received."""
        message = _content(text)
        number = message.get("seq") if isinstance(message, dict) else None
        if not isinstance(number, int):
            self._tell(topic, text)
            return
        instance = str(message["instance"]) if isinstance(message, dict) else ""
        if self._last is not None and not self._follows(number, instance):
            self._ask_for_more()
        if instance == self._instance and number <= (self._last or 0):
            return  # an answer had it
        self._last, self._instance = number, instance
        self._tell(topic, text)

    def _follows(self, number: int, instance: str) -> bool:
        """Whether it is one of those that are known already, or the next."""
        return instance == self._instance and number <= (self._last or 0) + 1

    def _ask_for_more(self) -> None:
        if not self._able:
            return
        asked = {} if self._last is None else {"since": self._last, "instance": self._instance}
        try:
            reply = self._ask("events", **asked)
        except CallError:
            return  # not there yet, or no more: whatever comes next asks again
        if reply.get("status") != "ok":
            self._able = reply.get("errno") != ERRNO_UNKNOWN_COMMAND
            return
        if reply["gap"]:
            self._warn(f"some events are missing; the oldest that is kept is {reply['oldest']}")
        for event in reply["events"]:
            self._tell(event["topic"], json.dumps(event["message"]))
        self._last, self._instance = reply["last"], reply["instance"]

    def _tell(self, topic: str, text: str) -> None:
        if topic.startswith(self._topics):
            self._show(topic, text)


def _content(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
