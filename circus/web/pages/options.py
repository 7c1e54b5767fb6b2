"""The options of a watcher, and where each value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import falcon

from circus.commands.text import option_text
from circus.config.model import WatcherConfig
from circus.config.schema import row_of
from circus.exc import CircusError
from circus.web.actions import perform
from circus.web.pages.watcher import OneWatcher

if TYPE_CHECKING:
    from collections.abc import Collection

DEFAULT = "default"
SET = "set"
LATER = "set while circusd runs"


class Option(NamedTuple):
    """One of them, as the page shows it."""

    name: str
    value: str
    origin: str
    doc: str


class OptionsPage(OneWatcher):
    """`/watchers/NAME/options`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
        """Those that are set before those that are as always."""
        _, state, row = self.found(part)
        name = row.name
        visitor = req.context.visitor
        # as circusd shows them to somebody of that role: the values of variables may be concealed
        told = perform(self._parts, visitor, "options", {"name": name}).fields["options"]
        found = [_option(key, value, self._changed(req, name)) for key, value in told.items()]
        self.show(
            req,
            resp,
            "options.html",
            live=state,
            name=name,
            here="options",
            row=row,
            chosen=[one for one in found if one.origin != DEFAULT],
            usual=[one for one in found if one.origin == DEFAULT],
        )

    def _changed(self, req: falcon.Request, name: str) -> Collection[str]:
        """The keys that were set while circusd runs; only administrators learn which."""
        try:
            whole, rest = (
                _keys(perform(self._parts, req.context.visitor, "plan", {"reset": reset}), name)
                for reset in (True, False)
            )
        except CircusError:
            return ()
        return whole - rest


def _keys(reply: Any, name: str) -> set[str]:
    return {
        key
        for step in reply.fields["steps"]
        if step["kind"] == "watcher" and step["name"].lower() == name.lower()
        for key in step["why"]
    }


def _option(key: str, value: Any, changed: Collection[str]) -> Option:
    row, _ = row_of(WatcherConfig, key) or (None, "")
    doc = row.doc if row else ""
    family = key.partition(".")[0]
    if key in changed or family in changed:
        return Option(key, option_text(key, value), LATER, doc)
    usual = row is not None and not row.required and not row.prefix and _is_usual(row, value)
    unset = value is None or value in ([], {})
    return Option(key, option_text(key, value), DEFAULT if usual or unset else SET, doc)


def _is_usual(row: Any, value: Any) -> bool:
    default = row.default
    return bool(value == (None if default is None else row.kind.format(default)))
