"""What the tests of the packages share: the packages, and a system that has them installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def builds(suite: str) -> list[Path]:
    """Two folders with the same packages, built twice."""
    return roots.packages(suite)


@pytest.fixture(scope="session")
def unpacked(builds: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the packages hold."""
    folder = tmp_path_factory.mktemp("unpacked")
    for package in builds[0].glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


@pytest.fixture(scope="session")
def installed(
    suite: str, builds: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[roots.Root]:
    """A plain Debian in which apt has installed the packages; tests leave it as it is.

    It has what completes for bash and zsh, too.
    """
    folder = tmp_path_factory.mktemp("roots")
    root = roots.plain(suite).copy(folder / "installed")
    for package in builds[0].glob("*.deb"):
        if "dbgsym" not in package.name:
            shutil.copy(package, root.path / "tmp")
    root.do("apt-get update -qq")
    root.do("apt-get install -y -qq --no-install-recommends /tmp/*.deb bash-completion zsh")
    yield root
    shutil.rmtree(folder)
