"""The options of a watcher, and where each value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import falcon

from circus.access import Role
from circus.commands.options import typed
from circus.commands.text import option_text
from circus.config.model import WatcherConfig
from circus.config.schema import row_of
from circus.exc import CircusError
from circus.web.actions import perform
from circus.web.forms import fields
from circus.web.names import from_path, watcher_path
from circus.web.pages.act import Forms
from circus.web.pages.watcher import OneWatcher
from circus.web.util import run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.web.visitor import Visitor

DEFAULT = "default"
SET = "set"
WRITTEN = "configuration"
LATER = "set while circusd runs"


class Option(NamedTuple):
    """One of them, as the page shows it."""

    name: str
    value: str
    origin: str
    doc: str


class OptionsPage(OneWatcher, Forms):
    """`/watchers/NAME/options`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.OPERATE}

    def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
        """Those that are set before those that are as always."""
        _, state, row = self.found(part)
        name = row.name
        visitor = req.context.visitor
        # as circusd shows them to somebody of that role: the values of variables may be concealed
        told = perform(self._parts, visitor, "options", {"name": name}).fields["options"]
        origin = self._origin(req, name)
        # `stdout_stream_conf` and its like are all of `stdout_stream.…` once more
        plain = {key: value for key, value in told.items() if not key.endswith("_stream_conf")}
        found = [_option(key, value, origin) for key, value in plain.items()]
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

    def on_post(self, req: falcon.Request, _resp: falcon.Response, part: str) -> None:
        """Set one while circusd runs; what that takes depends on which it is."""
        name, form = from_path(part), fields(req)
        key, text = form.get("key", "").strip(), form.get("value", "")
        run_command(
            lambda: self.perform(req, "set", name, options={key: typed(key, text)}),
            f"{name}: {key} is being set.",
            watcher_path(name, "options"),
        )

    def _origin(self, req: falcon.Request, name: str) -> Callable[[str], str]:
        """Where a value comes from that is not the default; only administrators learn that."""
        visitor: Visitor = req.context.visitor
        if not visitor.may(Role.ADMIN):
            return lambda _key: SET
        try:
            whole, rest = (
                _steps(perform(self._parts, visitor, "plan", {"reset": reset}), name)
                for reset in (True, False)
            )
        except CircusError:
            return lambda _key: SET
        if any(one["action"] == "stop" for one in whole):  # it is in no file
            return lambda _key: LATER
        changed = _keys(whole) - _keys(rest)
        return lambda key: LATER if {key, key.partition(".")[0]} & changed else WRITTEN


def _steps(reply: Any, name: str) -> list[Any]:
    steps = [one for one in reply.fields["steps"] if one["kind"] == "watcher"]
    return [one for one in steps if one["name"].lower() == name.lower()]


def _keys(steps: list[Any]) -> set[str]:
    return {key for one in steps for key in one["why"]}


def _option(key: str, value: Any, origin: Callable[[str], str]) -> Option:
    row, _ = row_of(WatcherConfig, key) or (None, "")
    usual = row is not None and not row.required and not row.prefix and _is_usual(row, value)
    unset = value is None or value in ([], {})
    where = DEFAULT if usual or unset else origin(key)
    return Option(key, option_text(key, value), where, row.doc if row else "")


def _is_usual(row: Any, value: Any) -> bool:
    default = row.default
    return bool(value == (None if default is None else row.kind.format(default)))
