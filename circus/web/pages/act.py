"""The forms that change watchers. By GET nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import falcon

from circus.access import Role
from circus.exc import CircusError
from circus.web.actions import perform
from circus.web.names import from_path, local, watcher_path
from circus.web.pages.page import Page
from circus.web.util import run_command, tell_and_go

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = dict[str, Any]


class Act(NamedTuple):
    """What a button does."""

    verb: str
    done: str
    """What is said when circusd has begun with it."""
    fields: tuple[str, ...] = ()
    """Those of the form that matter."""
    leaves: bool = False
    """Its watcher has no page afterwards."""


ACTS: Mapping[str, Act] = {
    "start": Act("start", "{name} is being started."),
    "stop": Act("stop", "{name} is being stopped."),
    "restart": Act("restart", "{name} is being restarted."),
    "reload": Act("reload", "{name} is being reloaded: new workers take over."),
    "incr": Act("incr", "{name} gets one process more."),
    "decr": Act("decr", "{name} gets one process less."),
    "kill": Act("kill", "{name}: {pid} is being ended, with all that it started.", ("pid",)),
    "signal": Act("signal", "{name}: {signum} is sent to {pid}.", ("pid", "signum")),
    "freeze": Act("freeze", "{name} is frozen."),
    "thaw": Act("thaw", "{name} goes on."),
    "rm": Act("rm", "{name} is removed.", leaves=True),
}
BULK = ("start", "stop", "restart", "reload")


class Forms(Page):
    """What the forms share."""

    def form(self, req: falcon.Request) -> Form:
        """The fields that were sent."""
        found = req.get_media(default_when_empty={})
        return found if isinstance(found, dict) else {}

    def perform(self, req: falcon.Request, verb: str, given: Mapping[str, object]) -> object:
        """Have circusd do it for whoever asks. Raises CircusError."""
        return perform(self._parts, req.context.visitor, verb, given)


class WatcherForm(Forms):
    """`/watchers/NAME/ACT`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.OPERATE}

    def on_post(
        self, req: falcon.Request, _resp: falcon.Response, part: str, act: str, pid: str = ""
    ) -> None:
        """Do it, then show a page."""
        if act not in ACTS:
            raise falcon.HTTPNotFound
        chosen, name, form = ACTS[act], from_path(part), self.form(req)
        form = {**form, "pid": pid or form.get("pid")}
        given = {key: form[key] for key in chosen.fields if form.get(key)}
        whom = f"pid {given['pid']}" if "pid" in given else "every worker"
        said = {**dict.fromkeys(chosen.fields, ""), **given, "name": name, "pid": whom}
        run_command(
            lambda: self.perform(req, chosen.verb, {"name": name, **given}),
            chosen.done.format_map(said),
            local(form.get("next"), "/" if chosen.leaves else watcher_path(name)),
        )

    def on_get(
        self, _req: falcon.Request, _resp: falcon.Response, part: str, act: str, pid: str = ""
    ) -> None:
        """Nothing is done: the page says how it is."""
        raise falcon.HTTPSeeOther(f"{watcher_path(from_path(part))}?hint=1")


class Toggle(WatcherForm):
    """`/watchers/NAME/switch_status`, as the console of circus 0.6 had it."""

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, part: str, act: str = "", pid: str = ""
    ) -> None:
        """Start it when it is stopped, else stop it."""
        state = self.ask("status", name=from_path(part))["status"]
        super().on_post(req, resp, part, "start" if state == "stopped" else "stop")

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, part: str, act: str = "", pid: str = ""
    ) -> None:
        """As for all others."""
        super().on_get(req, resp, part, act)


class BulkForm(Forms):
    """`/act`: the same to several watchers."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.OPERATE}

    def on_post(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """One after the other; what one refuses does not keep the others."""
        form = self.form(req)
        verb, told, done = form.get("verb"), [], []
        if verb not in BULK:
            raise falcon.HTTPBadRequest(title=f"What is to be done? One of {', '.join(BULK)}")
        for name in several(form.get("names")):
            try:
                self.perform(req, verb, {"name": name})
                done.append(name)
            except CircusError as error:
                told.append((f"{name}: {error}", "refused"))
        if done:
            told.append((f"{verb} is under way: {', '.join(done)}", "done"))
        elif not told:
            told.append(("No watcher is selected.", "refused"))
        tell_and_go(told, local(form.get("next")))

    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """Nothing is done."""
        raise falcon.HTTPSeeOther("/")


def several(value: object) -> list[str]:
    """A field that may come more than once."""
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value] if isinstance(value, list) else []
