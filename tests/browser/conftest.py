"""The browser that a test asks for, and the consoles that it looks at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Chromium, installed
from tests.web.conftest import Open, console, consoles  # noqa: F401 fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One for all tests: to start it takes longer than most of them."""
    if not installed() and "CI" not in os.environ:
        pytest.skip("there is no Chromium: apt-get install chromium chromium-driver")
    found = Chromium(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture
def page(chromium: Chromium, consoles: Open) -> Iterator[Chromium]:  # noqa: F811 they end later
    """The same without cookies; at the end it may have nothing to complain of."""
    chromium.clear()
    yield chromium
    complaints = chromium.complaints()
    chromium.clear()
    assert complaints == []
