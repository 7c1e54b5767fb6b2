"""Tells at the end of a run how much of the documentation is run."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.pages.page import pages


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, and one for each block that nothing shows to be true."""
    blocks = [(page.path, block) for page in pages() for block in page.blocks()]
    count = Counter(block.kind for _, block in blocks)
    terminalreporter.section("blocks of the pages")
    terminalreporter.line(
        f"{count['run']} are run, {count['shown by']} are shown by other tests, "
        f"{count['not run']} are not run, {count['text']} are text"
    )
    for path, block in blocks:
        if block.kind == "not run":
            terminalreporter.line(f"{path}:{block.line} is not run: {block.about}")
