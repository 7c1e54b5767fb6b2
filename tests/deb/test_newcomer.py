"""The README as somebody follows it who has a bare Debian, a copy of the tree and sudo."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.pages.page import Page
from tests.pages.shell import Shell
from tests.pages.story import told
from tests.support import needs_root, only_if

if TYPE_CHECKING:
    from pathlib import Path

HERE_TOO = roots.HERE == "bookworm" and sys.version_info[:2] == (3, 11)
LIBRARIES = ("pyzmq", "psutil", "python-prctl", "setuptools", "wheel")
"""What pip brings: what setup.py asks for, and what builds it."""
ALONE = "[global]\nno-index = true\nfind-links = /srv\n"
"""So pip there does without the settings of this machine."""
SUDOER = "useradd --create-home somebody && echo 'somebody ALL=NOPASSWD: ALL' >>/etc/sudoers"
PATIENCE = 600
"""Seconds for what is installed first."""


@needs_root
@only_if(HERE_TOO, "pip gets here what the Python of Debian 12 takes")
@pytest.mark.timeout(2 * PATIENCE)
def test_the_readme_needs_no_guess_on_a_bare_debian(tmp_path: Path) -> None:
    root = roots.plain("bookworm").copy(tmp_path / "root")
    pip = [sys.executable, "-m", "pip", "download", "-q", "-d", f"{root.path}/srv", *LIBRARIES]
    subprocess.run(pip, check=True, timeout=PATIENCE)
    (root.path / "etc/pip.conf").write_text(ALONE, encoding="ascii")
    root.do("apt-get update -qq && apt-get install -y -qq --no-install-recommends make sudo")
    root.do(SUDOER)
    home = root.path / "home/somebody/circus"
    for source in roots.SOURCES:
        roots.copy_source(roots.TREE / source, home / source)
    root.do("chown -R somebody: /home/somebody; install -d -o somebody /run/page")
    enter = [*root.way_in(), "runuser", "-u", "somebody", "--", "bash", "--norc"]
    environ = {**roots.ENVIRONMENT, "HOME": "/home/somebody"}
    page = Page("README.md", (roots.TREE / "README.md").read_text(encoding="utf-8"))
    try:
        with Shell(enter, "/home/somebody/circus", environ) as shell:
            told(page, shell, PATIENCE)
    finally:
        shutil.rmtree(root.path)
