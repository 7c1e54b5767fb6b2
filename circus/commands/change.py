"""Commands that change what is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from circus.access import is_owner
from circus.commands.as_caller import as_caller, as_owner, refuse_code
from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.foresight import step, steps_lines, steps_reply, stops
from circus.commands.kinds import Args, Name, Options, Program, pairs
from circus.commands.options import normal, typed
from circus.exc import ArgumentError
from circus.steps import NEW, Action, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.access import Peer
    from circus.config.model import WatcherConfig
    from circus.engine import Engine
    from circus.threads import Outcome
    from circus.watcher import Watcher


class Change(Command):
    """A change that takes effect over time."""

    waits = True


@command("add", Role.OPERATE)
class Add(Change):
    """Add a watcher.

    All words after NAME make up its command line. It is started with `--start`, which comes
    before NAME. What somebody adds who may only operate runs as that user, and circusd opens,
    imports and hands over nothing for it.
    """

    name: Name = argument("what to call it")
    cmd: Program = argument("the program and its arguments", metavar="CMD")
    args: Args = argument("arguments of the program", default="", wire_only=True)
    options: Options | None = argument("options of the watcher", default=None, wire_only=True)
    start: bool = argument("start it at once", default=False)

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the pids `started` and `kept` when it was to be started."""
        config = self._config()
        if config.hooks:
            return engine.changes.add(config, start=self.start)
        return engine.add(config, start=self.start)

    @property
    def checked(self) -> bool:
        """Hooks are imported first."""
        return any(key.partition(".")[0] == "hooks" for key in self.options or ())

    async def foresee(self, engine: Engine) -> list[Step]:
        """It is started, or taken in only."""
        config = self._config()
        engine.refuse_new(config)
        return [Step("watcher", config.name, Action.START if self.start else Action.ADD, (NEW,))]

    def _config(self) -> WatcherConfig:
        from circus.config.mapping import watcher_from_mapping

        given = {**(self.options or {}), "cmd": self.cmd}
        if self.args:
            given["args"] = self.args
        return watcher_from_mapping(self.name, normal(given), free=False)

    def concerns(self, engine: Engine) -> None:
        """A right on one watcher is none to add others."""

    def details(self) -> str:
        """The options that are given."""
        return ",".join(self.options or ())

    def asked_by(self, peer: Peer, role: Role, engine: Engine) -> Command:
        """As an operator, or the endpoint_owner, itself."""
        options = self.options or {}
        if not role.includes(Role.ADMIN):
            as_caller(peer, {"cmd": self.cmd, "args": self.args})
            return self.replaced(options=as_caller(peer, options))
        refuse_code(peer, self.verb, options)
        if is_owner(peer, engine.config.circus) and peer.uid not in (0, os.geteuid()):
            return self.replaced(options=as_owner(peer, options))
        return self

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """The words of the command line, joined."""
        if not given["cmd"]:
            raise ArgumentError("the following arguments are required: CMD")
        return {**super().properties(given), "cmd": " ".join(given["cmd"])}


@command("rm", Role.ADMIN)
class Rm(Change):
    """Remove a watcher.

    Its workers are stopped, or with `--nostop` left to themselves.
    """

    several = True

    name: Name = argument("the watcher")
    nostop: bool = argument("let the workers live on, unmanaged", default=False)

    def run(self, engine: Engine) -> Outcome[Any]:
        """It is no longer listed when this returns."""
        return engine.remove(self.name, nostop=self.nostop)

    async def foresee(self, engine: Engine) -> list[Step]:
        """It stops, unless its workers are to live on."""
        watcher = engine.get_watcher(self.name)
        if self.nostop:
            return [step(watcher, Action.NOTHING, "its workers live on, unmanaged")]
        return stops(engine, [watcher], "it is removed")


@command("set", Role.OPERATE)
class Set(Change):
    """Set a watcher option.

    Several at once: all of them are set or, when one is wrong, none. `env` replaces the watcher's
    variables and is written `A=1,B=2` or as a JSON object; `env.NAME` sets a single variable to
    the value as it stands, with any `=` and `,` in it. Put `--` before values that begin with
    a dash. Options that decide which code runs, as whom and with what, take an administrator.
    """

    name: Name = argument("the watcher")
    options: Options = argument("options and their values", metavar="KEY VALUE")

    def run(self, engine: Engine) -> Outcome[Any]:
        """Settles when the workers that needed it are replaced."""
        watcher = engine.get_watcher(self.name)
        return engine.changes.change(self.name, normal(self.options, watcher.config.env))

    async def foresee(self, engine: Engine) -> list[Step]:
        """Nothing when the options have these values already."""
        watcher = engine.get_watcher(self.name)
        options = normal(self.options, watcher.config.env)
        return await engine.changes.foresee_change(self.name, options)

    @property
    def needs(self) -> Role:
        """What the options take."""
        return Role.ADMIN if self.beyond(Role.OPERATE) else Role.OPERATE

    def beyond(self, role: Role) -> str:
        """The options that take more."""
        from circus.config.mapping import role_to_set

        return ", ".join(key for key in self.options if not role.includes(role_to_set(key)))

    def details(self) -> str:
        """The options that are set."""
        return ",".join(self.options)

    def asked_by(self, peer: Peer, role: Role, engine: Engine) -> Command:
        """Code to import is not for everybody to name."""
        refuse_code(peer, self.verb, self.options)
        return self

    @property
    def checked(self) -> bool:
        """Users and programs are looked up on this machine."""
        return True

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """Names of variables keep their case, other keys are written small."""
        words = pairs(given["options"])
        small = {key if key.startswith("env.") else key.lower(): words[key] for key in words}
        return {
            **super().properties(given),
            "options": {key: typed(key, small[key]) for key in small},
        }


class Whole(Change):
    """A change of everything at once; refused and failed ones end with exit status 1."""

    refused_status = 1

    @property
    def checked(self) -> bool:
        """All of it is looked into before anything is touched."""
        return True


DETAILED = "exit status 2 when there is something to do, 0 when not, 1 when it fails"


@command("reloadconfig", Role.ADMIN)
class ReloadConfig(Whole):
    """Reload the configuration file.

    Read as a whole first: when anything in it is wrong, nothing is done. Then what differs is
    changed, and nothing else; when a part of that fails, everything goes back. What was changed
    at run time stays: options that were set, numbers of workers, watchers that were added or
    stopped by hand; with `--reset` it does not.
    """

    reset: bool = argument("forget what was changed at run time", default=False)

    def run(self, engine: Engine) -> Outcome[Any]:
        """Settles when what changed has been applied."""
        return engine.reload_config(reset=self.reset)

    async def foresee(self, engine: Engine) -> list[Step]:
        """As `plan` tells it."""
        return await engine.changes.foresee_reload(reset=self.reset)


@command("rollback", Role.ADMIN)
class Rollback(Whole):
    """Go back to the configuration before the last `reloadconfig`.

    The files stay as they are, so the next `reloadconfig` brings their content back. What was
    changed at run time stays. Another `rollback` goes back one further, ten times at most.
    """

    def run(self, engine: Engine) -> Outcome[Any]:
        """Settles as `reloadconfig` does."""
        return engine.roll_back()

    async def foresee(self, engine: Engine) -> list[Step]:
        """Of the way back."""
        return await engine.changes.foresee_rollback()


@command("plan", Role.ADMIN)
class Plan(Command):
    """Tell what reloadconfig would do.

    One line for each watcher and socket that differs: live (no worker is replaced), rolling (new
    workers take over), restart, start, add (taken in, not started) or stop, and why. Nothing is
    touched.
    """

    patient = True
    refused_status = 1

    reset: bool = argument("as if nothing had been changed at run time", default=False)
    detailed: bool = argument(DETAILED, default=False, flag="--detailed-exitcode")

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the steps."""
        return engine.keep(self._tell(engine))

    @property
    def changes(self) -> bool:
        """It shows the inside, and touches nothing."""
        return False

    async def _tell(self, engine: Engine) -> Reply:
        reply = steps_reply(await engine.changes.foresee_reload(reset=self.reset))
        changed = {(one["kind"], one["name"].lower()) for one in reply["steps"]}
        running = engine.running()
        same = {
            "watchers": sum(("watcher", name) not in changed for name in running.watchers),
            "sockets": sum(("socket", name) not in changed for name in running.sockets),
        }
        status = {"exit_status": 2 if reply["steps"] else 0} if self.detailed else {}
        return {**reply, "unchanged": same, **status}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The steps, then how much stays as it is."""
        same = reply["unchanged"]
        stays = f"{_many(same, 'watcher')} and {_many(same, 'socket')} stay as they are"
        return f"{steps_lines(reply)}\n{stays}"

    @classmethod
    def verdict(cls, reply: Reply) -> int:
        """0, or what was asked for by `--detailed-exitcode`."""
        return int(reply.get("exit_status", 0))


def _many(counts: Reply, what: str) -> str:
    count = counts[f"{what}s"]
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


@command("foresee", Role.READ)
class Foresee(Command):
    """Tell what another command would do.

    circusctl asks so for `--dry-run`. It needs the role of that command. Being a command of its
    own, it is safe with a daemon that does not know it.
    """

    wire_only = True
    patient = True

    what: Name = argument("the name of the other command")
    given: Options | None = argument("its properties", default=None)

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the steps."""
        return engine.keep(self._tell(engine))

    @property
    def needs(self) -> Role:
        """What the other one takes, as all that follows."""
        return self.other.needs

    def beyond(self, role: Role) -> str:
        """What of it takes more."""
        return self.other.beyond(role)

    def concerns(self, engine: Engine) -> list[Watcher] | None:
        """What it is about."""
        return self.other.concerns(engine)

    def asked_by(self, peer: Peer, role: Role, engine: Engine) -> Command:
        """Refused as it would be."""
        self.other.asked_by(peer, role, engine)
        return self

    async def _tell(self, engine: Engine) -> Reply:
        return steps_reply(await self.other.foresee(engine))

    @property
    def other(self) -> Command:
        """The command that it is about. Raises UnknownCommand, MessageError."""
        from circus.commands import find

        return find(self.what.lower()).from_properties(self.given or {})
