"""Commands about how many workers there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.foresight import resized
from circus.commands.kinds import Count, Name

if TYPE_CHECKING:
    from circus.engine import Engine
    from circus.steps import Step
    from circus.threads import Outcome

SINGLETON = "This watcher is a Singleton - not changing the number of processes"


class Scaling(Command):
    """A change of the number of workers."""

    waits = True
    several = True

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The new number when it is known."""
        if reply.get("singleton"):
            return SINGLETON
        return str(reply.get("numprocesses", "ok"))


@command("incr", Role.OPERATE)
class Incr(Scaling):
    """Increment the number of processes in a watcher."""

    name: Name = argument("the watcher")
    nb: Count = argument("how many more", default=1)

    def run(self, engine: Engine) -> Reply | Outcome[Any]:
        """Answers with the new number. A singleton has one at most."""
        watcher = engine.get_watcher(self.name)
        if watcher.config.singleton and watcher.numprocesses >= 1:
            return {"numprocesses": watcher.numprocesses, "singleton": True}
        return watcher.incr(self.nb)

    async def foresee(self, engine: Engine) -> list[Step]:
        """Of the number."""
        watcher = engine.get_watcher(self.name)
        more = watcher.numprocesses + self.nb
        return resized(watcher, min(more, 1) if watcher.config.singleton else more)


@command("decr", Role.OPERATE)
class Decr(Scaling):
    """Decrement the number of processes in a watcher.

    The oldest go first. A watcher without workers stays active.
    """

    name: Name = argument("the watcher")
    nb: Count = argument("how many fewer", default=1)

    def run(self, engine: Engine) -> Reply | Outcome[Any]:
        """Answers with the new number, 0 at least. A singleton stays as it is."""
        watcher = engine.get_watcher(self.name)
        if watcher.config.singleton:
            return {"numprocesses": watcher.numprocesses, "singleton": True}
        return watcher.decr(self.nb)

    async def foresee(self, engine: Engine) -> list[Step]:
        """Of the number."""
        watcher = engine.get_watcher(self.name)
        fewer = max(0, watcher.numprocesses - self.nb)
        return resized(watcher, watcher.numprocesses if watcher.config.singleton else fewer)


@command("scale", Role.OPERATE)
class Scale(Scaling):
    """Set the number of processes of a watcher.

    `web 8` or `web=8`; several at once as `web db 8` or `web=8 db=2`.
    """

    assigned = "numprocesses"

    name: Name = argument("the watcher")
    numprocesses: Count = argument("how many there are to be", metavar="N")

    def run(self, engine: Engine) -> Reply | Outcome[Any]:
        """Settles when there are as many. A singleton has one at most."""
        watcher = engine.get_watcher(self.name)
        if watcher.config.singleton and self.numprocesses > 1:
            return {"numprocesses": watcher.numprocesses, "singleton": True}
        return engine.changes.change(self.name, {"numprocesses": self.numprocesses})

    async def foresee(self, engine: Engine) -> list[Step]:
        """Of the number."""
        watcher = engine.get_watcher(self.name)
        if watcher.config.singleton and self.numprocesses > 1:
            return resized(watcher, watcher.numprocesses)
        return resized(watcher, self.numprocesses)

    @property
    def checked(self) -> bool:
        """It is a change of the configuration like any other."""
        return True


@command("numprocesses", Role.READ)
class NumProcesses(Command):
    """Get the number of processes.

    Of one watcher, or of all.
    """

    name: Name | None = argument("the watcher", default=None)

    def run(self, engine: Engine) -> Reply:
        """Those that run, whatever number is wanted."""
        if self.name is None:
            return {"numprocesses": engine.numprocesses()}
        return {
            "numprocesses": len(engine.get_watcher(self.name)),
            "watcher_name": self.name,
        }

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The number."""
        return str(reply.get("numprocesses"))
