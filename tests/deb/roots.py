"""Debian systems to build and install in, each a folder; what takes long is kept for later runs.

What is kept is in ~/.cache/circus-deb, named by a digest of what it was made of.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TREE = Path(__file__).parents[2]
SOURCES = ("LICENSE", "Makefile", "README.md", "circus", "docs", "examples", "packaging",
           "pyproject.toml", "setup.py")  # fmt: skip
"""What the packages are made of."""
BUILT_HERE = ("__pycache__", "launch")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "circus-deb"
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
WEEK = 7 * 24 * 3600.0
HERE = platform.freedesktop_os_release()["VERSION_CODENAME"]
"""The suite that this machine runs."""


class Root:
    """A Debian system below `path`, which may be that of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, command: str, *, network: bool = True) -> subprocess.CompletedProcess[str]:
        """What a shell there did, started as root with a plain environment. Blocks."""
        inside = [] if self.path == Path("/") else self.way_in()
        if inside and not network:
            inside.append("--net")
        return subprocess.run(
            [*inside, "sh", "-c", command],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def way_in(self) -> list[str]:
        """The beginning of a command line that runs there."""
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={self.path}",
                "--wd=/", "--mount-proc=/proc"]  # fmt: skip

    def do(self, command: str, *, network: bool = True) -> str:
        """What a shell there printed. AssertionError with all of its words if it failed."""
        ended = self.run(command, network=network)
        assert ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def copy(self, path: Path) -> Root:
        """Another system like this one, at `path`."""
        subprocess.run(["cp", "-a", "--reflink=auto", self.path, path], check=True)
        return Root(path)


def plain(suite: str) -> Root:
    """Debian with nothing but what every Debian has; nobody may change it."""
    recipe = ["mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io",
              "--aptopt=Acquire::Languages none"]  # fmt: skip

    def bootstrap(path: Path) -> None:
        subprocess.run([*recipe, suite, path, mirror()], check=True, timeout=600)
        # no service is to be started in a folder
        policy = path / "usr" / "sbin" / "policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)

    return Root(kept(f"plain-{suite}", *recipe, mirror(), making=bootstrap))


def builder(suite: str) -> Root:
    """Debian with what `make deb` needs from nothing: make."""
    if suite == HERE:
        return Root(Path("/"))

    def install(path: Path) -> None:
        root = plain(suite).copy(path)
        root.do("apt-get update -qq && apt-get install -y -qq --no-install-recommends make")

    return Root(kept(f"builder-{suite}", str(plain(suite).path), making=install))


def packages(suite: str) -> list[Path]:
    """Two folders of packages, built from this tree one after the other in different ways."""

    def build(path: Path) -> None:
        root = builder(suite)
        for name, manner in (
            ("first", "umask 022"),
            ("second", "umask 002; export TZ=Asia/Tokyo LC_ALL=C LANG=C USER=somebody"),
        ):
            place = root.path / "tmp" / f"circus-{name}-{os.getpid()}"
            for source in SOURCES:
                copy_source(TREE / source, place / source)
            try:
                root.do(f"{manner}; make -C /{place.relative_to(root.path)} deb")
                shutil.copytree(place / "dist", path / name)
            finally:
                shutil.rmtree(place)

    both = kept(f"built-{suite}", *digests(), making=build)
    return [both / "first", both / "second"]


def copy_source(source: Path, target: Path) -> None:
    """A file or folder of the tree, without what was built in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*BUILT_HERE))
    else:
        shutil.copy(source, target)


def digests() -> Iterator[str]:
    """Of every file that the packages are made of, with its name and mode."""
    for source in SOURCES:
        top = TREE / source
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and not set(BUILT_HERE) & set(file.parts):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                yield f"{file.relative_to(TREE)} {file.stat().st_mode:o} {digest}"


def mirror() -> str:
    """Where this machine gets Debian from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
             "Origin: Debian", f"Codename: {HERE}"]  # fmt: skip
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert found, f"no Debian {HERE} in the lists of apt: run apt-get update"
    return found[0]


def kept(name: str, *made_of: str, making: Callable[[Path], None]) -> Path:
    """The folder that `making` made out of these; those that nobody wanted for a week go."""
    CACHE.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]
    path = CACHE / f"{name}-{digest}"
    with locked(CACHE / f"{name}.lock"):
        if not path.exists():
            unfinished = CACHE / f"{name}-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            making(unfinished)
            unfinished.rename(path)
        os.utime(path)
        for old in CACHE.glob(f"{name}-*"):
            if old.stat().st_mtime < time.time() - WEEK:
                shutil.rmtree(old)
    return path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One run at a time makes what several want."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
