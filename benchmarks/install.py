"""Makes the peers available: environments of their own for two, Debian packages for the others."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CIRCUS_019 = ("circus==0.19.0", "psutil==7.2.2", "pyzmq==27.3.0", "tornado==6.6.1")
"""The generation before ours, with the libraries that it is known to work with."""

_SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class Unavailable(Exception):
    """A peer that cannot be had here, and why."""


def from_pypi(*recipe: str) -> Path:
    """The folder of the programs of some packages, installed outside the tree once for all runs.

    A recipe is what pip takes; another one, or another Python, gets a folder of its own.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "circus-peers"
    caches.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(repr((sys.version, recipe)).encode()).hexdigest()[:12]
    folder = caches / f"{recipe[0].replace('==', '-')}-{key}"
    ready = folder / "ready"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several may want it at the same time
        if not ready.exists() or not (folder / "bin/python").exists():  # its Python may have gone
            print(f"Installing {recipe[0]} in {folder}", flush=True)
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", *recipe)
            ready.touch()
    return folder / "bin"


def from_debian(package: str, program: str) -> str:
    """The version of a Debian package, installed when its program is missing."""
    if shutil.which(program, path=_SYSTEM_PATH) is None:
        print(f"Installing {package}", flush=True)
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
        apt = [*sudo, *environment, "apt-get", "-qq", "-y", "--no-install-recommends"]
        try:
            _run(*apt, "install", package)
        except Unavailable:  # the list of packages may be old, or missing
            _run(*apt, "update")
            _run(*apt, "install", package)
    if shutil.which(program, path=_SYSTEM_PATH) is None:
        raise Unavailable(f"{package} has no {program}")
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False
    )
    return shown.stdout.partition("-")[0]


def _run(*command: str) -> None:
    """Raises Unavailable with the last thing the command said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Unavailable(f"{' '.join(command[:6])}: {said[-1]}")
