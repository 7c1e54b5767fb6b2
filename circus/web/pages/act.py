"""The forms that change something. By GET nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import falcon

from circus.access import Role
from circus.exc import CircusError
from circus.web.actions import perform
from circus.web.names import from_path, local, watcher_path
from circus.web.pages.page import Page

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
    "kill": Act(
        "kill", "{name}: process {pid} is being ended, with all that it started.", ("pid",)
    ),
    "signal": Act("signal", "{name}: signal {signum} is sent.", ("pid", "signum")),
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

    def perform(self, req: falcon.Request, act: Act, name: str, form: Form) -> str:
        """Have it done; what to say then. Raises CircusError."""
        given = {key: form[key] for key in act.fields if form.get(key)}
        perform(self._parts, req.context.visitor, act.verb, {"name": name, **given})
        return act.done.format_map({**given, "name": name, "pid": given.get("pid", "every worker")})

    def answer(
        self, req: falcon.Request, resp: falcon.Response, path: str, texts: list[tuple[str, str]]
    ) -> None:
        """A script is told at once; anybody else by the page that comes next.

        `texts`: each with its kind, `done` or `refused`.
        """
        if req.client_prefers([falcon.MEDIA_HTML, falcon.MEDIA_JSON]) == falcon.MEDIA_JSON:
            resp.media = {"messages": [{"text": text, "kind": kind} for text, kind in texts]}
            return
        for text, kind in texts:
            self._parts.sessions.tell(req.context.visitor, text, kind)
        raise falcon.HTTPSeeOther(path)


class WatcherForm(Forms):
    """`/watchers/NAME/ACT`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.OPERATE}

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, part: str, act: str, pid: str = ""
    ) -> None:
        """Do it, then show a page."""
        chosen, name = ACTS.get(act), from_path(part)
        if chosen is None:
            raise falcon.HTTPNotFound
        form = self.form(req)
        back = "/" if chosen.leaves else watcher_path(name)
        try:
            text = self.perform(req, chosen, name, {**form, **({"pid": pid} if pid else {})})
            told = [(text, "done")]
        except CircusError as error:
            told = [(str(error), "refused")]
        self.answer(req, resp, local(form.get("next"), back), told)

    def on_get(
        self, req: falcon.Request, _resp: falcon.Response, part: str, act: str, pid: str = ""
    ) -> None:
        """Nothing is done: the page says how."""
        raise falcon.HTTPSeeOther(watcher_path(from_path(part)) + "?hint=1")


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

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """One after the other; what one refuses does not keep the others."""
        form = self.form(req)
        if form.get("verb") not in BULK:
            raise falcon.HTTPBadRequest(title=f"What is to be done? One of {', '.join(BULK)}")
        act, told, done = ACTS[form["verb"]], [], []
        for name in listed(form.get("names")):
            try:
                self.perform(req, act, name, {})
                done.append(name)
            except CircusError as error:
                told.append((f"{name}: {error}", "refused"))
        if done:
            told.append((f"{act.verb}: asked for, of {', '.join(done)}", "done"))
        elif not told:
            told.append(("No watcher is selected.", "refused"))
        self.answer(req, resp, local(form.get("next"), "/"), told)

    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """Nothing is done."""
        raise falcon.HTTPSeeOther("/")


def listed(value: object) -> list[str]:
    """A field that may come several times."""
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value] if isinstance(value, list) else []
