"""`@section`, `option`, and everything derived from them: the dataclass is the table."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from circus.access import Role
from circus.suggest import suggestion

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

    @property
    def place(self) -> tuple[str, int]:
        """What problems are sorted by: file, then line."""
        file, _, line = self.where.rpartition(":")
        return (file, int(line)) if line.isdecimal() else (self.where, 0)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each once, by file and line."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.place))


@dataclass(frozen=True, slots=True)
class Row:
    """What is known about one option."""

    name: str
    """The key in a file; for a family of keys what they begin with (`rlimit_`, `hooks.`)."""
    field: str
    """The attribute that holds the value; for a family a mapping of the rests of its keys."""
    kind: Kind
    doc: str
    on_change: OnChange
    spares: Callable[[Any, Any], bool] | None
    """Whether to go from one value to another costs nothing after all."""
    prefix: bool
    role: Role
    """What it takes to change it while circusd runs."""
    aliases: tuple[str, ...]
    default: Any
    """`dataclasses.MISSING` when a section is wrong without it."""

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
    spares: Callable[[Any, Any], bool] | None = None,
    prefix: str = "",
    role: Role = Role.OPERATE,
    aliases: tuple[str, ...] = (),
) -> Any:
    """A field that is a row of the table. Defaults are immutable; aliases are old spellings.

    `spares` tells of two values whether to go from one to the other costs nothing after all.
    """
    row = {
        "kind": kind,
        "doc": doc,
        "on_change": on_change,
        "spares": spares,
        "prefix": prefix,
        "role": role,
        "aliases": aliases,
    }
    if isinstance(default, Mapping):
        return field(default_factory=dict, metadata=row)
    if default is dataclasses.MISSING:
        return field(metadata=row)
    return field(default=default, metadata=row)


def free_keys(on_change: OnChange, *, default_factory: Callable[[], Mapping[str, Any]]) -> Any:
    """The field for keys that are no option; what it costs when they change."""
    return field(default_factory=default_factory, metadata={"on_change": on_change})


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(option, free_keys, field)
)
def section(cls: type[T]) -> type[T]:
    """A frozen, keyword-only dataclass whose fields are the options of a section."""
    return dataclass(frozen=True, kw_only=True)(cls)


def rows(cls: type) -> tuple[Row, ...]:
    """The table of a section."""
    return _table(cls)


@functools.cache
def _table(cls: type) -> tuple[Row, ...]:
    return tuple(_row(one) for one in dataclasses.fields(cls) if "kind" in one.metadata)


def _row(one: dataclasses.Field[Any]) -> Row:
    meta = dict(one.metadata)
    prefix = meta.pop("prefix")
    default = None if one.default_factory is not dataclasses.MISSING else one.default
    return Row(
        name=prefix or one.name, field=one.name, prefix=bool(prefix), default=default, **meta
    )


@functools.cache
def _lookup(cls: type) -> tuple[dict[str, Row], tuple[Row, ...]]:
    """Rows by name and by old spelling, and those that are families."""
    singles = [row for row in rows(cls) if not row.prefix]
    named = {name: row for row in singles for name in (row.name, *row.aliases)}
    return named, tuple(row for row in rows(cls) if row.prefix)


def row_of(cls: type, key: str) -> tuple[Row, str] | None:
    """The row that `key` belongs to, and the rest of the key for a family."""
    named, families = _lookup(cls)
    if key in named:
        return named[key], ""
    for row in families:
        if key.startswith(row.name) and len(key) > len(row.name):
            rest = key[len(row.name) :]
            # limits are known by their lower-case names
            return row, rest.lower() if row.name.endswith("_") else rest
    return None


def nearest(cls: type, key: str) -> str:
    """`, did you mean 'x'?` for a key that is no option, or nothing."""
    _, families = _lookup(cls)
    for row in families:
        head, mark, rest = key.partition(row.name[-1])
        if rest and suggestion(head + mark, [row.name], cutoff=0.8):
            return f", did you mean {row.name + rest!r}?"
    return suggestion(key, [row.name for row in rows(cls) if not row.prefix])


@dataclass(slots=True)
class Reading:
    """What came of reading the keys of one section."""

    values: dict[str, Any] = field(default_factory=dict)
    """By field."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Keys that are no option."""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read(cls: type, given: Mapping[str, object], where: Callable[[str], str]) -> Reading:
    """Values for the fields of a section from text, or from values that are ready."""
    found = Reading()
    bare = {row.name[:-1]: row for row in rows(cls) if row.prefix}
    for key, value in given.items():
        match = row_of(cls, key)
        if match is not None:
            _read_one(found, *match, key, value, where(key))
        elif key in bare:
            say = f"{key}: it takes several options, write {bare[key].name}NAME = value"
            found.problems.append(Problem(where(key), say))
        else:
            found.extra[key] = value
    return found


def _read_one(found: Reading, row: Row, rest: str, key: str, value: object, where: str) -> None:
    if key in row.aliases:
        say = f"{key}: an old spelling of {row.name}"
        found.warnings.append(Problem(where, say))
        if row.field in found.values:
            return
    try:
        parsed = row.kind.parse(value)
    except ValueError as error:
        found.problems.append(Problem(where, f"{key}: {error}"))
        return
    if row.prefix:
        found.values.setdefault(row.field, {})[rest] = parsed
    else:
        found.values[row.field] = parsed


def differing(old: Any, new: Any) -> tuple[str, ...]:
    """The keys, as in a file, whose values differ between two of one section."""
    found: list[str] = []
    for one in dataclasses.fields(old):
        before, after = getattr(old, one.name), getattr(new, one.name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            prefix = one.metadata.get("prefix", "")
            prefix = "env." if one.name == "env" else prefix
            changed = (key for key in {**before, **after} if _absent_or_other(key, before, after))
            found += sorted(f"{prefix}{key}" for key in changed)
        else:
            found.append(one.name)
    return tuple(found)


def _absent_or_other(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return key not in before or key not in after or before[key] != after[key]


def cost_between(old: Any, new: Any) -> OnChange:
    """The most that any changed field costs."""
    costs = [
        _cost(one, getattr(old, one.name), getattr(new, one.name))
        for one in dataclasses.fields(old)
        if "on_change" in one.metadata
    ]
    return max(costs, default=OnChange.NOTHING)


def _cost(one: dataclasses.Field[Any], before: object, after: object) -> OnChange:
    spares: Callable[[Any, Any], bool] | None = one.metadata.get("spares")
    if before == after or (spares is not None and spares(before, after)):
        return OnChange.NOTHING
    cost: OnChange = one.metadata["on_change"]
    return cost
