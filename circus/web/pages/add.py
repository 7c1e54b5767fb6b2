"""The form for a new watcher, where the settings allow one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import falcon

from circus.access import Role
from circus.exc import CircusError
from circus.web.forms import fields
from circus.web.names import watcher_path
from circus.web.pages.act import Forms
from circus.web.util import tell_and_go

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY = {"name": "", "cmd": "", "working_dir": "", "numprocesses": "1", "shell": "", "start": "on"}


class AddWatcher(Forms):
    """`/add_watcher`; the fields are those of circus 0.6, and `start`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.ADMIN}

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The form, or what would make it work."""
        self._form(req, resp, EMPTY)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Add it and show its page; what is refused stands above the form."""
        form = {**dict.fromkeys(EMPTY, ""), **fields(req)}
        options: dict[str, Any] = {"shell": bool(form["shell"])}
        options |= {key: form[key] for key in ("working_dir", "numprocesses") if form[key]}
        name, start = form["name"].strip(), bool(form["start"])
        try:
            self.perform(req, "add", name, cmd=form["cmd"], options=options, start=start)
        except CircusError as error:
            resp.status = falcon.HTTP_409
            self._form(req, resp, form, str(error))
            return
        text = f"{name} is there until circusd ends, or until it is removed."
        tell_and_go([(text, "done")], watcher_path(name))

    def _form(
        self, req: falcon.Request, resp: falcon.Response, form: Mapping[str, str], why: str = ""
    ) -> None:
        allowed = self._parts.settings.allow_add and not self._parts.settings.readonly
        self.show(req, resp, "add_watcher.html", form=form, why=why, allowed=allowed)
