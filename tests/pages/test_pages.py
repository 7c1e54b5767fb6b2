"""Each page of the documentation is true: what it tells to do is done, in its order."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.pages.page import TREE, Page, pages
from tests.pages.shell import FOLDER, Shell, room
from tests.pages.story import told
from tests.support import needs_root
from tests.systemd.machine import Machine, root

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [page for page in pages() if page.blocks()]


def name(page: Page) -> str:
    return page.path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_block_says_what_it_is(page: Page) -> None:
    wrong = [(block.line, block.mistake()) for block in page.blocks() if block.mistake()]
    assert not wrong, "\n".join(f"{page.path}:{line}: {mistake}" for line, mistake in wrong)


@needs_root
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in PAGES if not page.machine], ids=name)
def test_page(page: Page) -> None:
    with room(FOLDER if "/" in page.path else str(TREE)) as shell:
        told(page, shell)


@needs_root
@pytest.mark.timeout(900)  # the first may have to build the machine and the packages
@pytest.mark.parametrize("page", [page for page in PAGES if page.machine], ids=name)
def test_page_of_a_machine(page: Page, suite: str, tmp_path: Path) -> None:
    files = tmp_path / "files" / "root"
    files.mkdir(parents=True)
    for package in roots.packages(suite)[0].glob("*circus_*.deb"):
        shutil.copy(package, files)
    machine = Machine(root(suite), files.parent, tmp_path / "console")
    try:
        if page.machine == "circus":
            machine.run("apt-get install -y -q --no-install-recommends /root/*.deb", timeout=300)
        environ = {"DEBIAN_FRONTEND": "noninteractive"}
        with Shell([*machine.enter, "bash", "--norc"], "/root", environ) as shell:
            told(page, shell)
    finally:
        machine.stop()
