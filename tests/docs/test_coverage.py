"""The reasons for what no test runs are of functions that there are."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.coverage import measure, report

if TYPE_CHECKING:
    from collections.abc import Iterator


def functions(within: ast.AST, prefix: str = "") -> Iterator[str]:
    """All in a module, as coverage.py names them."""
    for node in ast.iter_child_nodes(within):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}"
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


@pytest.mark.parametrize("place", sorted(report.reasons()))
def test_what_has_a_reason_is_there(place: str) -> None:
    file, _, name = place.partition(" ")
    text = (measure.TREE / file).read_text(encoding="utf-8")
    if file.endswith(".c"):
        assert re.search(rf"^\w.*\b{name}\(", text, re.MULTILINE)
    else:
        assert not name or name in functions(ast.parse(text))


def test_what_is_measured_is_what_tox_runs() -> None:
    assert set(measure.parts()) >= {"unit", "process", "daemon", "web", "systemd"}
    assert measure.parts()["unit"] == ["tests/unit"]
