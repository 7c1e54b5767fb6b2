"""`@section`, `option`, and everything derived from them: the dataclass is the table."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.config.kinds import Kind

T = TypeVar("T")


class OnChange(IntEnum):
    """What it costs to change an option while the watcher runs."""

    NOTHING = 0
    RECONCILE = 1
    REPLACE = 2
    RESTART = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and where: `file:line`, or the option."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclass(frozen=True, slots=True)
class Row:
    """What is known about one option."""

    name: str
    kind: Kind
    doc: str
    on_change: OnChange
    prefix: bool
    """Whether `name` begins a family of keys (`rlimit_`, `hooks.`), kept as a mapping."""
    role: str
    default: Any

    @property
    def required(self) -> bool:
        """Whether a section is wrong without it."""
        return self.default is dataclasses.MISSING


def option(
    kind: Kind,
    *,
    doc: str,
    default: Any = dataclasses.MISSING,
    on_change: OnChange = OnChange.REPLACE,
    prefix: str = "",
    role: str = "operate",
) -> Any:
    """A field that is a row of the table. Defaults are immutable."""
    row = {"kind": kind, "doc": doc, "on_change": on_change, "prefix": prefix, "role": role}
    if isinstance(default, Mapping):
        return field(default_factory=dict, metadata=row)
    if default is dataclasses.MISSING:
        return field(metadata=row)
    return field(default=default, metadata=row)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, field))
def section(name: str) -> Callable[[type[T]], type[T]]:
    """A frozen, keyword-only dataclass whose fields are the options of `[name]`."""

    def make(cls: type[T]) -> type[T]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.section_name = name  # type: ignore[attr-defined]  # read back by the reference only
        return made

    return make


def rows(cls: type) -> list[Row]:
    """The table of a section."""
    found = []
    for one in dataclasses.fields(cls):
        if "kind" not in one.metadata:
            continue
        meta = one.metadata
        default = None if one.default_factory is not dataclasses.MISSING else one.default
        prefix = meta["prefix"]
        found.append(
            Row(
                prefix or one.name,
                meta["kind"],
                meta["doc"],
                meta["on_change"],
                bool(prefix),
                meta["role"],
                default,
            )
        )
    return found


def field_of(cls: type, key: str) -> tuple[dataclasses.Field[Any], str] | None:
    """The field that `key` belongs to, and the rest of the key for a family."""
    for one in dataclasses.fields(cls):
        prefix = one.metadata.get("prefix")
        if prefix and key.lower().startswith(prefix) and len(key) > len(prefix):
            return one, key[len(prefix) :]
        if one.name == key and "kind" in one.metadata and not prefix:
            return one, ""
    return None


def suggestion(key: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or nothing."""
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]!r}?" if near else ""


def known_names(cls: type) -> list[str]:
    """Every option's name, for suggestions."""
    return [row.name for row in rows(cls)]


def parse_into(
    cls: type, given: Mapping[str, object], where: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, Any], list[Problem]]:
    """Values by field name, keys that are no option, and every problem."""
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in given.items():
        found = field_of(cls, key)
        if found is None:
            extra[key] = value
            continue
        one, rest = found
        try:
            parsed = one.metadata["kind"].parse(value)
        except ValueError as error:
            problems.append(Problem(where(key), f"{key}: {error}"))
            continue
        if one.metadata["prefix"]:
            # limits are known by their lower-case names
            rest = rest.lower() if one.metadata["prefix"].endswith("_") else rest
            values.setdefault(one.name, {})[rest] = parsed
        else:
            values[one.name] = parsed
    return values, extra, problems


def cost_between(old: Any, new: Any) -> OnChange:
    """The most that any changed field costs."""
    costs = [
        one.metadata["on_change"]
        for one in dataclasses.fields(old)
        if "on_change" in one.metadata and getattr(old, one.name) != getattr(new, one.name)
    ]
    return max(costs, default=OnChange.NOTHING)
