"""Circus built and installed, each time into an environment that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).parents[2]
BUILT_HERE = (".git", ".*_cache", ".hypothesis", ".tox", ".venv", "*.egg-info", "__pycache__",
              "build", "dist", "launch")  # fmt: skip
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OURS = ("PYTHON", "VIRTUAL_ENV", "TOX", "COV_", "CIRCUS", "XDG_DATA")
CLEAN = {
    **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
    "PATH": SYSTEM,
    "LC_ALL": "C.UTF-8",
}
"""The environment of somebody who knows nothing of this one; pip's settings are the machine's."""
FIT = """
import ensurepip, os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))
"""
EPOCH = "1700000000"
"""When all files were made, for whoever asks."""


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a program did, in a clean environment but for `environ`. Blocks."""
    return subprocess.run(
        command,
        env={**CLEAN, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def do(*command: str | Path, **environ: str) -> str:
    """What it printed. AssertionError with all of its words if it failed."""
    ended = run(*command, **environ)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def copied(target: Path) -> Path:
    """The tree without what was built in it, at `target`."""
    shutil.copytree(TREE, target, ignore=shutil.ignore_patterns(*BUILT_HERE))
    return target


class Built(NamedTuple):
    """What `python -m build` made of a tree, by way of the sdist."""

    source: Path
    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built once."""
    folder = tmp_path_factory.mktemp("built")
    source = copied(folder / "source")
    do(sys.executable, "-m", "build", "--outdir", folder, source, SOURCE_DATE_EPOCH=EPOCH)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return Built(source, sdist, wheel)


class Prefix(NamedTuple):
    """An environment of its own."""

    bin: Path
    share: Path


def installed(path: Path, python: Path, *what: str | Path) -> Prefix:
    """One at `path`, made by this Python, into which pip has installed that."""
    do(python, "-m", "venv", path)
    do(path / "bin/pip", "install", "-q", *what)
    return Prefix(path / "bin", path / "share")


@pytest.fixture(scope="session", params=["folder", "editable", "sdist", "wheel"])
def prefix(
    request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prefix]:
    """One for each way to install it; that of the wheel with all that is optional."""
    folder = tmp_path_factory.mktemp("prefix")
    what: dict[str, list[str | Path]] = {
        "folder": [built.source],
        "editable": ["--editable", built.source],
        "sdist": [built.sdist],
        "wheel": [f"{built.wheel}[gevent,redis,web]"],
    }
    yield installed(folder / "venv", base(), *what[request.param])
    shutil.rmtree(folder)


def base() -> Path:
    """The Python that ours was made by."""
    return Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


def newer_pythons() -> list[Path]:
    """Those of this machine, also of its pyenv, that can have an environment and build for it."""
    names = [f"python3.{minor}" for minor in range(sys.version_info.minor + 1, 20)]
    places = [*map(Path, SYSTEM.split(":")), *Path.home().glob(".pyenv/versions/3.*/bin")]
    found = [place / name for name in names for place in places]
    return [path for path in found if path.exists() and run(path, "-c", FIT).returncode == 0]
