"""What a command is: a frozen record whose fields are its arguments.

The class decorator plays the part of `dataclasses.dataclass`: importing that module and running
it for every command would double what `circusctl` costs beyond Python and ZeroMQ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, dataclass_transform

from circus.access import Role as Role
from circus.commands.kinds import KINDS
from circus.exc import MessageError
from circus.suggest import suggestion

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Mapping

    from circus.access import Peer
    from circus.commands.kinds import Kind
    from circus.engine import Engine
    from circus.steps import Step
    from circus.threads import Outcome
    from circus.watcher import Watcher

Reply = dict[str, Any]
"""The fields of an answer, besides status, time and id."""

_MISSING: Any = object()


class Argument:
    """One row of a command: what a field means on the wire and on the command line."""

    __slots__ = ("default", "doc", "flag", "kind", "metavar", "name", "optional", "wire_only")

    def __init__(
        self, doc: str, *, default: object, flag: str | None, metavar: str | None, wire_only: bool
    ) -> None:
        self.doc = doc
        self.default = default
        self.flag = flag
        self.metavar = metavar
        self.wire_only = wire_only
        self.name = ""
        self.kind: Kind = KINDS["str"]
        self.optional = False

    @property
    def required(self) -> bool:
        """Whether a message without it is refused."""
        return self.default is _MISSING

    @property
    def word(self) -> str:
        """What stands for its value in help."""
        return self.metavar or self.name.upper()

    def shell_form(self, *, repeated: bool = False) -> str:
        """How it is written on a command line."""
        if self.flag:
            flag = self.flag.partition("/")[0]
            return f"[{flag}]" if self.kind.name == "boolean" else f"[{flag} {self.word}]"
        word = f"{self.word}..." if repeated or self.kind.many or self.kind.rest else self.word
        return word if self.required else f"[{word}]"

    def complete(self, name: str, annotation: str) -> None:
        """Take in what the class says about the field."""
        self.name = name
        self.optional = annotation.endswith(" | None")
        self.kind = KINDS[annotation.removesuffix(" | None")]
        if self.kind.name == "boolean" and self.flag is None:
            self.flag = f"--{name}"

    def check(self, value: object) -> object:
        """The value of a field from a JSON value. Raises MessageError."""
        if value is None and self.optional and self.kind.name != "name":
            return self.default
        return self.kind.check(self.name, value)


def argument(
    doc: str,
    *,
    default: Any = _MISSING,
    flag: str | None = None,
    metavar: str | None = None,
    wire_only: bool = False,
) -> Any:
    """A field of a command. Without `flag` it is positional; booleans are flags by themselves."""
    return Argument(doc, default=default, flag=flag, metavar=metavar, wire_only=wire_only)


class Command:
    """One verb. `run` happens in the daemon, `show` in circusctl."""

    verb: ClassVar[str]
    role: ClassVar[Role]
    arguments: ClassVar[tuple[Argument, ...]] = ()
    rows: ClassVar[Mapping[str, Argument]] = {}
    """The same by name."""
    waits: ClassVar[bool] = False
    """It changes something: answered when it has begun, or with `waiting` when it is done."""
    local: ClassVar[bool] = False
    """circusctl answers it by itself; the daemon refuses it."""
    wire_only: ClassVar[bool] = False
    """It has no form on a command line."""
    several: ClassVar[bool] = False
    """circusctl takes many names, patterns and groups as NAME, and sends a message for each."""
    assigned: ClassVar[str] = ""
    """Argument that may be written NAME=VALUE too, where circusctl takes several."""
    patient: ClassVar[bool] = False
    """Its answer may take as long as it takes."""
    nothing: ClassVar[str] = ""
    """It lists what there is: a terminal shows this when there is nothing, a pipe gets no line."""
    refused_status: ClassVar[int] = 3
    """Exit status of circusctl when the daemon says no."""

    def __init__(self, **values: object) -> None:
        for row in self.arguments:
            object.__setattr__(self, row.name, values.get(row.name, row.default))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot assign to {name!r}: a command does not change")

    def __repr__(self) -> str:
        fields = ", ".join(f"{row.name}={getattr(self, row.name)!r}" for row in self.arguments)
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def run(self, engine: Engine) -> Reply | Outcome[Any] | Future[Any]:
        """Do it in the daemon. Never blocks; raises CircusError for what is wrong at once."""
        raise NotImplementedError

    async def foresee(self, engine: Engine) -> list[Step]:
        """What `run` would do, without doing it. Raises what `run` would refuse with."""
        raise MessageError(f"there is no dry run of {self.verb}")

    # -- who may ------------------------------------------------

    @property
    def needs(self) -> Role:
        """What this one takes, which may be more than its verb does."""
        return self.role

    def beyond(self, role: Role) -> str:
        """What of it takes more than `role`, when that is not the verb itself."""
        return ""

    def concerns(self, engine: Engine) -> list[Watcher] | None:
        """The watchers that it is about, all of them unless it names some. Raises NotFound.

        None: to have the role on some watchers is not enough.
        """
        name, names = getattr(self, "name", None), getattr(self, "names", None)
        if name is None and names is None:
            return engine.watchers
        if name is not None and "match" in self.rows:
            return engine.match(name, getattr(self, "match", "glob"))
        return [engine.get_watcher(one) for one in (names or [name])]

    @property
    def changes(self) -> bool:
        """Whether there is a record of who asked for it."""
        return self.role is not Role.READ

    def target(self) -> str:
        """What it names, for the record of who did what."""
        names = getattr(self, "name", None) or getattr(self, "names", None) or ""
        return names if isinstance(names, str) else ",".join(names)

    def details(self) -> str:
        """What else the record should have: names of options, never a value."""
        return ""

    def asked_by(self, peer: Peer, role: Role, engine: Engine) -> Command:
        """The same as somebody who has `role` may have it. Raises Denied."""
        return self

    def replaced(self, **values: object) -> Command:
        """The same with other values."""
        kept = {row.name: getattr(self, row.name) for row in self.arguments}
        return type(self)(**{**kept, **values})

    def shown_to(self, role: Role, reply: Reply) -> Reply:
        """What somebody who has `role` sees of the answer."""
        return reply

    @property
    def checked(self) -> bool:
        """Whether it is looked into first: also without `waiting` the answer tells of a refusal.

        `run` gives a future then, which resolves with another one once there is nothing to refuse.
        """
        return False

    @classmethod
    def show(cls, reply: Reply) -> str:
        """What a person reads when it went well."""
        return "ok"

    @classmethod
    def verdict(cls, reply: Reply) -> int:
        """Exit status of circusctl for an answer that is no error."""
        return 0

    @classmethod
    def title(cls) -> str:
        """One line about it."""
        return (cls.__doc__ or "").strip().splitlines()[0].rstrip(".")

    @classmethod
    def prose(cls) -> str:
        """What there is to say beyond that line."""
        lines = (cls.__doc__ or "").strip().splitlines()[1:]
        return "\n".join(line.removeprefix("    ") for line in lines).strip()

    @classmethod
    def shell_form(cls) -> str:
        """How it is written on a command line."""
        rows = [row for row in cls.arguments if not row.wire_only]
        flags = [row.shell_form() for row in rows if row.flag]
        flags += ["[--group GROUP]"] if cls.several else []
        flags += ["[--waiting] [--dry-run]"] if cls.waits else []
        words = [
            row.shell_form(repeated=cls.several and row.name == "name")
            for row in rows
            if not row.flag
        ]
        return " ".join(["circusctl", cls.verb, *flags, *words])

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """What to send for what was read from a command line."""
        return {key: value for key, value in given.items() if value is not None and value != []}

    @classmethod
    def unknown(cls, key: str) -> MessageError:
        """What is said to a property that the command does not have."""
        known = suggestion(key, list(cls.rows))
        return MessageError(f"unknown property {key[:40]!r} for {cls.verb}{known}")

    @classmethod
    def from_properties(cls, properties: Mapping[str, object]) -> Command:
        """The command that a message means. Raises MessageError with what is wrong in it."""
        rows = cls.rows
        values = {}
        for key, value in properties.items():
            if key in rows:
                values[key] = rows[key].check(value)
            elif key not in TOLERATED:
                raise cls.unknown(key)
        for key, row in rows.items():
            if row.required and key not in values:
                raise MessageError(f"message invalid {key!r} is missing")
        return cls(**values)


TOLERATED = frozenset({"match", "waiting"})
"""Clients for circus 0.19 send these with commands that have no use for them."""

_C = TypeVar("_C", bound=type[Command])


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(argument,))
def command(verb: str, role: Role) -> Callable[[_C], _C]:
    """Make a class the command that answers to `verb`."""

    def register(cls: _C) -> _C:
        rows = []
        for name, annotation in cls.__annotations__.items():
            row = cls.__dict__[name]
            row.complete(name, annotation)
            rows.append(row)
            delattr(cls, name)
        cls.verb = verb
        cls.role = role
        cls.arguments = tuple(rows)
        cls.rows = {row.name: row for row in rows}
        return cls

    return register
