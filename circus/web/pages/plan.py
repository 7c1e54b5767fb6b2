"""What a new configuration would do, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import falcon

from circus.access import Role
from circus.exc import CircusError
from circus.web.actions import perform
from circus.web.forms import fields
from circus.web.pages.act import Forms
from circus.web.pages.rows import Tone
from circus.web.util import tell_and_go

if TYPE_CHECKING:
    from collections.abc import Mapping

Told = dict[str, Any]

COSTS: Mapping[str, tuple[str, Tone]] = {
    "nothing": ("nothing", Tone.OFF),
    "live": ("at once, no worker is replaced", Tone.FINE),
    "rolling": ("new workers take over from the old ones", Tone.BUSY),
    "restart": ("all workers end, then others start", Tone.TROUBLE),
    "start": ("it starts", Tone.FINE),
    "add": ("it is taken in, not started", Tone.FINE),
    "stop": ("its workers end", Tone.TROUBLE),
}


class Way(NamedTuple):
    """One change of everything at once."""

    verb: str
    given: Mapping[str, object]
    word: str
    button: str
    about: str


WAYS: Mapping[str, Way] = {
    "": Way("reloadconfig", {}, "The file", "Apply", "What is in the files now takes effect. "
        "What was changed while circusd runs stays."),
    "reset": Way("reloadconfig", {"reset": True}, "The file and nothing else", "Apply", "What is "
        "in the files now takes effect, and what was changed while circusd runs is forgotten."),
    "back": Way("rollback", {}, "Back", "Go back", "What was there before the last change takes "
        "effect again. The files stay as they are."),
}  # fmt: skip


class PlanPage(Forms):
    """`/plan`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.ADMIN, "POST": Role.ADMIN}

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Step by step, with what each one costs."""
        way = req.get_param("way", default="")
        chosen, steps, refusal = WAYS.get(way, WAYS[""]), [], ""
        try:
            reply = perform(
                self._parts, req.context.visitor, chosen.verb, chosen.given, dry_run=True
            )
            steps = [_step(one) for one in reply.fields["steps"]]
        except CircusError as error:
            refusal = str(error)
        self.show(
            req,
            resp,
            "plan.html",
            ways=WAYS,
            way=way if way in WAYS else "",
            chosen=chosen,
            steps=steps,
            refusal=refusal,
        )

    def on_post(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Do it, wait for the end, and say how it went."""
        way = WAYS.get(fields(req).get("way", ""))
        if way is None:
            raise falcon.HTTPBadRequest(title="There is no such change")
        try:
            reply = perform(self._parts, req.context.visitor, way.verb, way.given, waiting=True)
            told = [(_outcome(way, reply.fields.get("steps", ()), reply.finished), "done")]
        except CircusError as error:
            told = [(f"Nothing has changed: {error}", "refused")]
        tell_and_go(told, "/plan")


def _step(told: Told) -> Told:
    cost, tone = COSTS.get(told["action"], ("", Tone.BUSY))
    return {**told, "cost": cost, "tone": tone.value}


def _outcome(way: Way, steps: Any, finished: bool) -> str:  # noqa: FBT001 a plain fact
    if not finished:
        return f"{way.word}: it takes its time and goes on. The watchers show how far it is."
    if not steps:
        return f"{way.word}: there was nothing to do."
    done = ", ".join(f"{one['action']} {one['kind']} {one['name']}" for one in steps)
    return f"{way.word}: done ({done})."
