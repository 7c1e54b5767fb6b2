"""The forms that change watchers. By GET nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import falcon

from circus.access import Role
from circus.commands import find
from circus.exc import CallError, CircusError
from circus.web.actions import named, perform
from circus.web.forms import fields, several
from circus.web.names import from_path, local, watcher_path
from circus.web.pages.page import Page
from circus.web.util import run_command, tell_and_go

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    def perform(self, req: falcon.Request, verb: str, name: str, **given: object) -> object:
        """Have circusd do it to one watcher, for whoever asks. Raises CircusError."""
        return perform(self._parts, req.context.visitor, verb, given | named(find(verb), name))


class WatcherForm(Forms):
    """`/watchers/NAME/ACT`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.OPERATE}

    def on_post(
        self, req: falcon.Request, _resp: falcon.Response, part: str, act: str, pid: str = ""
    ) -> None:
        """Do it, then show a page."""
        if act not in ACTS:
            raise falcon.HTTPNotFound
        chosen, name, form = ACTS[act], from_path(part), fields(req)
        form["pid"] = pid or form.get("pid", "")
        given = {key: form[key] for key in chosen.fields if form.get(key)}
        whom = f"pid {given['pid']}" if "pid" in given else "every worker"
        said = {**dict.fromkeys(chosen.fields, ""), **given, "name": name, "pid": whom}
        run_command(
            lambda: self.perform(req, chosen.verb, name, **given),
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
        """One after the other; what is refused for one does not keep the others."""
        form = fields(req)
        verb, told, done = form.get("verb"), [], []
        if verb not in BULK:
            raise falcon.HTTPBadRequest(title=f"What is to be done? One of {', '.join(BULK)}")
        for name in several(req, "names"):
            try:
                self.perform(req, verb, name)
                done.append(name)
            except CircusError as error:
                told.append((f"{name}: {error}", "refused"))
                if isinstance(error, CallError):  # it would not answer about the others either
                    break
        if done:
            told.append((f"{verb} is under way: {', '.join(done)}", "done"))
        elif not told:
            told.append(("No watcher is selected.", "refused"))
        tell_and_go(told, local(form.get("next")))

    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """Nothing is done."""
        raise falcon.HTTPSeeOther("/")
