"""Numbered lines through each file stream while its file is moved, deleted, cut and has no room."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.streams import KINDS, Kind, Plan, run
from tests.support import needs_root, only_if


@needs_root
@only_if(shutil.which("mount") is not None, "there is no mount")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.name}-{kind.backend}")
def test_t25_t26_no_gap_but_what_is_counted(kind: Kind) -> None:
    """The short form of `make bench-streams`."""
    plan = Plan(lines=40_000, rotations=4, pace=40_000)
    found = run(kind, plan)
    assert found.faults(plan.rotations) == []
    assert found.dropped["lines"] >= plan.lines / 100  # while there was no room
