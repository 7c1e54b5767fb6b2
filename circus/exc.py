"""Every exception we raise, one tree, each with its wire code."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

# Numbers that clients written for circus 0.19 compare with (its `errno` field).
ERRNO = {
    "not-specified": 0,
    "invalid-json": 1,
    "unknown-command": 2,
    "message": 3,
    "not-found": 3,
    "denied": 3,
    "os": 4,
    "conflict": 5,
    "hook": 5,
    "failed": 6,
}


class CircusError(Exception):
    """A failure that is told to a person: `str()` is the whole sentence.

    `code` is a word a program may compare.
    """

    code: ClassVar[str] = "failed"

    @property
    def errno(self) -> int:
        """The number circus 0.19 clients know this failure by."""
        return ERRNO[self.code]


class ConfigError(CircusError):
    """A configuration that cannot be used; `problems` holds every reason, not the first."""

    code = "message"

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class CallError(CircusError):
    """Client side: no answer came, or one that cannot be read."""


class MessageError(CircusError):
    """A request whose shape is wrong: a property is missing, unknown or of another type."""

    code = "message"


class ArgumentError(CircusError):
    """A value that does not fit the option or argument it was given for."""

    code = "message"


class NoStream(ArgumentError, ValueError):
    """Options that describe no stream; programs for circus 0.19 catch ValueError."""


class UnknownCommand(CircusError):
    """A verb that no command answers to."""

    code = "unknown-command"


class InvalidJSON(CircusError):
    """A payload that is not JSON at all."""

    code = "invalid-json"


class NotFound(CircusError):
    """A watcher, worker, socket or option that does not exist."""

    code = "not-found"


class NoWatcher(NotFound, KeyError):
    """There is no watcher of that name; programs for circus 0.19 catch KeyError."""

    __str__ = BaseException.__str__  # that of KeyError would put it in quotes

    def __init__(self, name: str) -> None:
        super().__init__(f"program {name} not found")


class NotYet(CircusError):
    """A start that waits for something else; it goes on waiting."""


class ConflictError(CircusError):
    """Something else stands in the way; clients written for circus 0.19 catch this name."""

    code = "conflict"


class AlreadyExist(ConflictError):
    """The name is taken."""


class Denied(CircusError):
    """The caller may not do this."""

    code = "denied"


class SpawnError(CircusError):
    """A program could not be started: says what was tried, as whom, and why it failed."""


class HookError(CircusError):
    """A user's hook cannot be found, raised, or took longer than it may."""

    code = "hook"


class RetryLater(CircusError):
    """For hooks to raise: not now, ask me again after the usual back-off."""
