"""What docs/reference/commands shows of each command is what a real circusd does."""

from __future__ import annotations

import json

import pytest

from circus.commands import COMMANDS
from docs.recorded import commands as pages
from tests.support import needs_root

RECORDED = json.loads(pages.RECORDED.read_text(encoding="utf-8"))


def test_each_command_has_a_sample() -> None:
    assert [sample.verb for sample in pages.SAMPLES] == [command.verb for command in COMMANDS]


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(sample, id=sample.verb, marks=[needs_root] if sample.cgroups else [])
        for sample in pages.SAMPLES
    ],
)
def test_a_page_shows_what_happens(sample: pages.Sample) -> None:
    assert pages.recorded(sample) == RECORDED[sample.verb], (
        "python -m docs.recorded.commands, then python -m circus.commands.reference, record it anew"
    )
