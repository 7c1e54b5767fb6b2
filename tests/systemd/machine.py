"""A Debian with systemd as process 1, in a container: built once, booted as if it were new.

What is built is kept for the next time, and nothing ever writes to it: a machine runs on an overlay
in memory, which lives through reboots and goes with it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.deb import roots
from tests.support import children, needs_root, wait_until

ON_A_MACHINE = [needs_root, pytest.mark.timeout(600)]  # the first test may have to build it

BASE = ("systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd", "procps")
"""What makes a system, with users that can have services of their own."""
NEEDED = ("python3", "python3-zmq", "python3-psutil", "python3-prctl")
"""What Circus needs."""
OPTIONS = {
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    "SYSTEMD_NSPAWN_LOCK": "0",  # others may have booted the same one
}
KEEP = """
trap exit TERM
# nspawn puts all machines below the control group that it is started in
above=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)
above=$above$(sed -n s/^0:://p /proc/self/cgroup)
mkdir "$above/$4"
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \\
    sh -c "$1" boot "$2" "$3" "$4" "$above/$4" &
# whatever runs there ends with its first process
trap 'kill -KILL $(cat /proc/$!/task/$!/children) || exit' TERM
wait $! || wait $!  # a signal ends the first
find /sys/fs/cgroup -depth -type d \\( -path "*/$4" -o -path "*/$4/*" \\) -exec rmdir {} +
"""
"""Keeps a machine until it is powered off, and ends it when the tests end in whatever way."""
BOOT = """
echo 0 >"$4/cgroup.procs"
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
while
    systemd-nspawn --boot --console=pipe --directory="$1/root" --machine="$3" \\
        --register=no --keep-unit
    test $? = 133  # it asks for another boot
do :; done
"""
"""Of a machine in a folder, from the files of another, under a name, and in a control group."""
NSPAWN, LEADER = 3, 4
"""How far below what keeps it they are: the one that boots, and process 1."""
TREE = "/sys/fs/cgroup/system.slice/circus.service"
"""The control group of the service there."""
NUMBERS = itertools.count(1)
"""Of the machines of one process: several may run at once."""
INSIDE = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]


def root(suite: str) -> Path:
    """The folder of a Debian that nobody may write to; built if there is none."""
    recipe = ["mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io",
              f"--include={','.join((*BASE, *NEEDED))}"]  # fmt: skip

    def bootstrap(path: Path) -> None:
        subprocess.run([*recipe, suite, path, roots.mirror()], check=True, timeout=600)

    return roots.kept(f"booted-{suite}", *recipe, roots.mirror(), making=bootstrap)


class System:
    """Another system than ours, where a shell of root does what it is told."""

    def run(
        self, command: str, *, check: bool = True, given: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """What that shell makes of it. AssertionError when that fails."""
        raise NotImplementedError

    def says(self, command: str) -> str:
        """What it prints there."""
        return self.run(command).stdout.strip()

    def write(self, path: str, text: str) -> None:
        """A file, with its folder."""
        self.run(f"mkdir -p {os.path.dirname(path)} && cat >{path}", given=text)


class Machine(System):
    """A copy of `system` booted, with what `files` holds. It shares the network of the host.

    What it says while it boots goes to the file `console`.
    """

    def __init__(self, system: Path, files: Path, console: Path) -> None:
        self._console = console
        folder = console.with_name("overlay")
        folder.mkdir()
        command = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", KEEP, "keep", BOOT]
        command += [str(folder), str(system), f"circus-{os.getpid()}-{next(NUMBERS)}"]
        with console.open("wb") as output:
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **OPTIONS},
                start_new_session=True,
            )
        try:
            self.enter = self._way_in()
            self._install(files)
        except BaseException:
            self.stop()
            raise

    def run(
        self, command: str, *, check: bool = True, given: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.enter, "sh", "-c", command],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def reboot(self) -> None:
        """As an administrator does; what was written is still there."""
        leader = self._leader()
        self.run("systemctl reboot", check=False)  # it may take the shell away first
        wait_until(lambda: self._leader() not in (None, leader), within=60)
        self.enter = self._way_in()

    def stop(self) -> None:
        """Power off; nothing of it is left then."""
        for nspawn in self._below(NSPAWN):
            os.kill(nspawn, signal.SIGTERM)  # it has its systemd shut down
        try:
            self._keeper.wait(timeout=120)  # systemd itself gives up after 90 s
        except subprocess.TimeoutExpired:
            self._keeper.terminate()
            self._keeper.wait()
            raise AssertionError("the machine does not power off") from None

    def _way_in(self) -> list[str]:
        """The beginning of a command line that runs there, once it has booted."""
        found: list[str] = wait_until(self._entered, within=60)
        return found

    def _entered(self) -> list[str] | None:
        said = self._console.read_text(errors="replace")
        assert self._keeper.poll() is None, said
        if leader := self._leader():
            enter = ["nsenter", f"--target={leader}", "--all", *INSIDE]
            asked = [*enter, "systemctl", "is-system-running", "--wait"]
            state = subprocess.run(asked, capture_output=True, text=True, check=False)
            if state.stdout.strip() in ("running", "degraded"):
                return enter
        return None

    def _leader(self) -> int | None:
        """Process 1 as it is called here."""
        # a first child of nspawn prepares the container, and is gone then
        found = self._below(LEADER)
        return found[-1] if found else None

    def _below(self, depth: int) -> list[int]:
        """The processes so far below the one that keeps it."""
        found = [self._keeper.pid]
        for _ in range(depth):
            found = [child for pid in found for child in children(pid)]
        return found

    def _install(self, files: Path) -> None:
        unpack = [*self.enter, "tar", "-C", "/", "--no-same-owner", "-x"]
        subprocess.run(unpack, input=packed(files), check=True)


def packed(files: Path) -> bytes:
    """A tar archive of what is below `files`."""
    return subprocess.run(["tar", "-C", files, "-c", "."], capture_output=True, check=True).stdout


PROGRAM = """#!/usr/bin/python3 -I
import sys
from circus.{0} import main
sys.exit(main())
"""


def staged(folder: Path) -> Path:
    """What a package of the working tree would install, below `folder`."""
    modules = folder / "usr/lib/python3/dist-packages/circus"
    roots.copy_source(roots.TREE / "circus", modules)
    launcher = modules / "host/launch"
    subprocess.run(["gcc", "-O2", "-o", str(launcher), f"{launcher}.c"], check=True)
    for name in ("circusd", "circusctl"):
        program = folder / "usr/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(PROGRAM.format(name))
        program.chmod(0o755)
    units = roots.TREE / "packaging/systemd"
    for source, target in (
        ("circus.service", "usr/lib/systemd/system"),
        ("circus@.service", "usr/lib/systemd/system"),
        ("circus.socket", "usr/lib/systemd/system"),
        ("user/circus.service", "usr/lib/systemd/user"),
        ("circus.sysusers", "usr/lib/sysusers.d/circus.conf"),
        ("circus.tmpfiles", "usr/lib/tmpfiles.d/circus.conf"),
        ("stop-post", "usr/lib/circus"),
    ):
        place = folder / target
        place = place if place.suffix else place / os.path.basename(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(units / source, place)
    return folder
