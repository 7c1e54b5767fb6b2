"""Families of numbers as text: OpenMetrics 1.0, and Prometheus' own format 0.0.4.

https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
UNITS = ("seconds", "bytes")
"""What the name of a family that has a unit ends with."""


class Definition(NamedTuple):
    """A family of numbers that labels tell apart; `name` is without the `_total` of a counter."""

    name: str
    kind: str
    """`gauge`, `counter` or `stateset`."""
    help: str


class Sheet:
    """Numbers of these families, in their order."""

    def __init__(self, families: Iterable[Definition]) -> None:
        self._found: dict[str, tuple[Definition, list[tuple[Mapping[str, str], float]]]] = {
            one.name: (one, []) for one in families
        }

    def add(self, name: str, value: float, **labels: str) -> None:
        """One more number of a family."""
        self._found[name][1].append((labels, value))

    def add_state(self, name: str, state: str, states: Iterable[str], **labels: str) -> None:
        """Which of these states it is."""
        for one in states:
            self.add(name, int(one == state), **labels, **{name: one})

    def text(self, *, openmetrics: bool) -> str:
        """All of it; families without a number are left out."""
        titles = _openmetrics if openmetrics else _plain
        lines: list[str] = []
        for one, samples in self._found.values():
            if samples:
                lines += titles(one)
                name = f"{one.name}_total" if one.kind == "counter" else one.name
                lines += (f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples)
        lines += ["# EOF"] if openmetrics else []
        return "".join(f"{line}\n" for line in lines)


def _openmetrics(one: Definition) -> Iterator[str]:
    yield f"# HELP {one.name} {_escaped(one.help)}"
    yield f"# TYPE {one.name} {one.kind}"
    unit = one.name.rpartition("_")[2]
    if unit in UNITS:
        yield f"# UNIT {one.name} {unit}"


def _plain(one: Definition) -> Iterator[str]:
    """It has fewer kinds, and names a counter as its numbers."""
    name = f"{one.name}_total" if one.kind == "counter" else one.name
    yield f"# HELP {name} {_escaped(one.help)}"
    yield f"# TYPE {name} {'gauge' if one.kind == 'stateset' else one.kind}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
