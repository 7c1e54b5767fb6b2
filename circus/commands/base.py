"""Commands as programs for circus 0.19 declare them: whoever makes a subclass has a command.

What is made of each is a command like all others: admitted, recorded and answered as they are.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, ClassVar

from circus import wire
from circus.commands import command
from circus.commands.command import Role, argument
from circus.exc import CircusError, MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from circus.commands.command import Argument, Reply
    from circus.engine import Engine
    from circus.threads import Outcome

Option = tuple[str, str, object, str]
"""Short form, long form, default, help; a boolean default makes a flag."""

VERB = re.compile(r"[a-z][a-z0-9_-]*")
WORDS = "arguments"
"""The words of a command line that belong to no option."""


class Command:
    """To be subclassed; the first line of the docstring says what the command does.

    A subclass with a `name` that Circus has itself, or somebody else has taken, raises
    ConflictError.
    """

    name: ClassVar[str] = ""
    role: ClassVar[str] = Role.ADMIN
    """What somebody has to be allowed to do, to have it: read, operate or admin."""
    options: ClassVar[Sequence[Option]] = ()
    """What circusctl takes besides words."""
    properties: ClassVar[Sequence[str]] = ()
    """What has to be in a message."""
    msg_type: ClassVar[str] = "dealer"

    def __init_subclass__(cls, **given: object) -> None:
        super().__init_subclass__(**given)
        if cls.__dict__.get("name"):
            from circus.commands import add  # which lists what this module makes commands of

            add(_made_of(cls))

    def make_message(self, **properties: object) -> dict[str, Any]:
        """What is sent for it."""
        return wire.message(self.name, properties)

    def message(self, *words: str, **options: object) -> dict[str, Any]:
        """What to send for a command line. Raises MessageError, ArgumentError.

        Unless a subclass says otherwise, words are the `properties` in their order.
        """
        if len(words) > len(self.properties):
            raise MessageError(f"too many words: {self.name} takes {len(self.properties)}")
        return self.make_message(**dict(zip(self.properties, words, strict=False)), **options)

    def validate(self, props: Mapping[str, object]) -> None:
        """Raises MessageError for what cannot be carried out."""
        for key in self.properties:
            if key not in props:
                raise MessageError(f"message invalid {key!r} is missing")

    def execute(self, arbiter: Any, props: dict[str, Any]) -> object:
        """Do it in the daemon: a mapping, a list, None, or something that can be awaited.

        In a thread of its own, so it may block; the methods of `arbiter` may be called from there.
        """
        raise NotImplementedError

    def console_msg(self, msg: Mapping[str, Any]) -> str:
        """What circusctl prints for an answer."""
        return "ok" if msg.get("status") == "ok" else f"error: {msg.get('reason')}"


def ok(props: Mapping[str, object] | None = None) -> dict[str, Any]:
    """An answer that it went well."""
    return {"status": "ok", "time": time.time(), **(props or {})}


def error(reason: str = "unknown", tb: str | None = None, errno: int = 0) -> dict[str, Any]:
    """An answer that it did not."""
    return {"status": "error", "reason": reason, "tb": tb, "time": time.time(), "errno": errno}


class _Adapted(command.Command):
    """A command that is `declared` in the old form."""

    declared: ClassVar[Command]
    patient = True
    given: dict[str, Any]

    @classmethod
    def from_properties(cls, properties: Mapping[str, object]) -> _Adapted:
        cls.declared.validate(properties)
        made = cls()
        object.__setattr__(made, "given", dict(properties))
        return made

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        options: dict[str, Any] = {row.name: row.default for row in cls.arguments}
        options |= super().properties(given)
        words = options.pop(WORDS)
        message = cls.declared.message(*words, **options)
        found: Reply = message["properties"]
        return found

    @classmethod
    def show(cls, reply: Reply) -> str:
        return cls.declared.console_msg(reply)

    def concerns(self, engine: Engine) -> None:
        """Nobody knows which watchers it is about, so it takes its role on all."""

    def target(self) -> str:
        name = self.given.get("name", "")
        return name if isinstance(name, str) else ""

    def run(self, engine: Engine) -> Outcome[Any]:
        return engine.keep(self._carry_out(engine))

    async def _carry_out(self, engine: Engine) -> Reply:
        from circus.aside import aside  # with asyncio, which circusctl does without

        def work() -> Any:
            return self.declared.execute(engine.face, dict(self.given))

        try:
            found = await aside(engine.loop, work)
            if hasattr(found, "__await__"):
                found = await found
        except CircusError:
            raise
        except Exception as caught:  # somebody's code, which may raise anything
            raise CircusError(f"{self.verb} failed: {type(caught).__name__}: {caught}") from caught
        return self._reply(found)

    def _reply(self, found: object) -> Reply:
        if isinstance(found, list):
            return {"result": found}
        if found is not None and not isinstance(found, dict):
            raise CircusError(f"{self.verb} failed: it returned {type(found).__name__}, no mapping")
        if found and wire.reason(found) is not None:
            raise CircusError(str(found["reason"]))
        return found or {}


def _made_of(declared: type[Command]) -> type[command.Command]:
    verb = declared.name.lower()
    if not VERB.fullmatch(verb):
        allowed = "a name has letters, digits, - and _"
        raise CircusError(f"cannot add command {declared.name!r}: {allowed}")
    rows = (_row(WORDS, "Words", argument("what it is about", default=())), *_rows(declared))
    namespace = {
        "__doc__": declared.__doc__ or verb,
        "__module__": declared.__module__,
        "__qualname__": declared.__qualname__,
        "verb": verb,
        "role": Role(declared.role),
        "arguments": rows,
        "rows": {row.name: row for row in rows},
        "declared": declared(),
    }
    return type(declared.__name__, (_Adapted,), namespace)


def _rows(declared: type[Command]) -> list[Argument]:
    found = []
    for short, long, default, doc in declared.options:
        flag = f"--{long}/-{short}" if len(short) == 1 else f"--{long}"
        kind = {bool: "bool", int: "Serial", float: "Seconds"}.get(type(default), "str")
        found.append(_row(long.replace("-", "_"), kind, argument(doc, default=default, flag=flag)))
    return found


def _row(name: str, kind: str, row: Argument) -> Argument:
    row.complete(name, kind)
    return row
