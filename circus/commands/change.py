"""Commands that change what is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from circus.commands.base import Command, Reply, Role, argument, command
from circus.commands.kinds import Args, Name, Options, Program, pairs
from circus.exc import ArgumentError

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from circus.engine import Engine


class Change(Command):
    """A change that takes effect over time."""

    waits = True


@command("add", Role.ADMIN)
class Add(Change):
    """Add a watcher.

    All words after NAME make up its command line. It is started with `--start`, which comes
    before NAME.
    """

    name: Name = argument("what to call it")
    cmd: Program = argument("the program and its arguments", metavar="CMD")
    args: Args = argument("arguments of the program", default="", wire_only=True)
    options: Options | None = argument("options of the watcher", default=None, wire_only=True)
    start: bool = argument("start it at once", default=False)

    def run(self, engine: Engine) -> Future[Any]:
        """Answers with the pids `started` and `kept` when it was to be started."""
        from circus.config.model import watcher_from_mapping

        given = {**(self.options or {}), "cmd": self.cmd}
        if self.args:
            given["args"] = self.args
        config = watcher_from_mapping(self.name, normal(given), free=False)
        return engine.add(config, start=self.start)

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

    name: Name = argument("the watcher")
    nostop: bool = argument("let the workers live on, unmanaged", default=False)

    def run(self, engine: Engine) -> Future[Any]:
        """It is no longer listed when this returns."""
        return engine.remove(self.name, nostop=self.nostop)


@command("set", Role.ADMIN)
class Set(Change):
    """Set a watcher option.

    Several at once: all of them are set or, when one is wrong, none. `env` replaces the watcher's
    variables and is written `A=1,B=2` or as a JSON object; `env.NAME` sets a single variable to
    the value as it stands, with any `=` and `,` in it. Put `--` before values that begin with
    a dash.
    """

    name: Name = argument("the watcher")
    options: Options = argument("options and their values", metavar="KEY VALUE")

    def run(self, engine: Engine) -> Future[Any]:
        """Settles when the workers that needed it are replaced."""
        watcher = engine.get_watcher(self.name)
        return engine.change(self.name, normal(self.options, watcher.config.env))

    @property
    def checked(self) -> bool:
        """Users and programs are looked up on this machine."""
        return True

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """Names of variables keep their case, other keys are written small."""
        options = pairs(given["options"])
        small = {
            key if key.startswith("env.") else key.lower(): value for key, value in options.items()
        }
        return {**super().properties(given), "options": small}


@command("reloadconfig", Role.ADMIN)
class ReloadConfig(Change):
    """Reload the configuration file.

    When anything in it is wrong, nothing is done.
    """

    def run(self, engine: Engine) -> Future[Any]:
        """Settles when what changed has been applied."""
        return engine.reload_config()

    @property
    def checked(self) -> bool:
        """The file is read."""
        return True


def normal(
    options: Mapping[str, object], env: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Options in the form that the configuration takes: `env` and `hooks` as mappings."""
    found: dict[str, object] = {}
    single: dict[str, object] = {}
    for key, value in options.items():
        if key.startswith("env."):
            single[key.removeprefix("env.")] = value
        elif key == "env" and isinstance(value, str):
            found[key] = env_from_text(value)
        elif key == "hooks" and isinstance(value, str):
            found[key] = _hooks_from_text(value)
        else:
            found[key] = value
    if single:
        base = found.get("env", env or {})
        found["env"] = {**(base if isinstance(base, dict) else dict(env or {})), **single}
    return found


def env_from_text(text: str) -> dict[str, object]:
    """`A=1,B=2` or a JSON object. A comma is a separator when `NAME=` follows it."""
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"'env' isn't a valid object: {error}") from None
        return dict(value)
    found: dict[str, object] = {}
    name = ""
    for part in text.split(",") if text else []:
        key, equals, value = part.partition("=")
        if equals and key.strip():
            name = key.strip()
            found[name] = value
        elif name:
            found[name] = f"{found[name]},{part}"
        else:
            raise ArgumentError(f"'env' isn't a valid object: {part[:40]!r} is not NAME=value")
    return found


def _hooks_from_text(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split(","):
        name, colon, path = part.partition(":")
        if not colon or not path:
            raise ArgumentError(f"'hooks' isn't a valid hook dict: {part[:40]!r} is not name:path")
        found[name.strip()] = path.strip()
    return found
