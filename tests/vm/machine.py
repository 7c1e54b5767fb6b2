"""An emulated machine with Debian's own kernel: in a container the controllers are the host's.

Its disk is built once. What a machine writes to it goes to a file of its own, which goes with it.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.deb import roots
from tests.support import only_if
from tests.systemd import machine as container
from tests.systemd.machine import INSIDE, System, packed

QEMU = "qemu-system-x86_64"
EMULATED = [
    only_if(os.geteuid() == 0, "only root can build a disk"),
    only_if(
        bool(shutil.which(QEMU)) and platform.machine() == "x86_64",
        f"there is no {QEMU}, or this is another processor",
    ),
    pytest.mark.timeout(900),
]
"""Marks of tests that run there."""

BOOT = 240.0
"""Seconds that it may take until its shell answers; it takes a tenth of that."""
PATIENCE = 200.0
"""Seconds to wait for what takes a few there, when this machine has other things to do too."""
SIZE = "2G"
PORT = "shell"
AGENT = Path(__file__).with_name("agent.py").read_text(encoding="utf-8")
KERNEL = ("linux-image-cloud-amd64", "initramfs-tools", "zstd", "udev")
WRITTEN = {
    "usr/lib/circus-tests/agent.py": AGENT,
    "etc/systemd/system/shell.service": "[Service]\n"
    f"ExecStart={' '.join(INSIDE)} python3 -I /usr/lib/circus-tests/agent.py\n",
    "etc/udev/rules.d/99-shell.rules": f'SUBSYSTEM=="virtio-ports", ATTR{{name}}=="{PORT}", '
    'TAG+="systemd", ENV{SYSTEMD_WANTS}+="shell.service"\n',
}
"""The shell of the tests is there as soon as its port is."""
IDLE = ("apt-daily-upgrade.timer", "apt-daily.timer", "dpkg-db-backup.timer",
        "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty.target",
        "systemd-logind.service")  # fmt: skip
"""What nobody needs there, and a processor as slow as that would be busy with."""


def disk() -> Path:
    """A folder with a disk, a kernel and what that starts with; nobody may write to them."""
    recipe = [f"apt-get install -y -qq --no-install-recommends {' '.join(KERNEL)}",
              f"systemctl -q mask {' '.join(IDLE)}",
              "rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man"]  # fmt: skip

    def build(path: Path) -> None:
        root = roots.Root(container.root(roots.HERE)).copy(path)
        for name, text in WRITTEN.items():
            (root.path / name).parent.mkdir(parents=True, exist_ok=True)
            (root.path / name).write_text(text, encoding="utf-8")
        root.do(" && ".join(["apt-get update -qq", *recipe]))
        made = path.with_name(f"{path.name}-disk")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(path / name, made)
        plain = ["mkfs.ext4", "-q", "-O", "^has_journal", "-d", str(path), f"{made}/disk", SIZE]
        subprocess.run(plain, check=True)
        shutil.rmtree(path)
        made.rename(path)

    made_of = [str(container.root(roots.HERE)), str(WRITTEN), SIZE, *recipe]
    return roots.kept(f"vm-{roots.HERE}", *made_of, making=build)


class Emulated(System):
    """Booted, with what `files` holds installed. It has no network.

    What it says while it boots goes to the file `console`.
    """

    def __init__(self, files: Path, console: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._qemu = subprocess.Popen(
                _command(disk(), console, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._shell = ours.makefile("rwb")
        self._socket = ours
        try:
            assert self._answer(BOOT) == b"ready\n", console.read_text(errors="replace")
            self.run("systemctl is-system-running --wait", check=False)
            archive = base64.b64encode(packed(files)).decode()
            self.run("base64 -d | tar -C / --no-same-owner -x", given=archive)
        except BaseException:
            self.stop()
            raise

    def run(
        self, command: str, *, check: bool = True, given: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """What a shell of root makes of it there. AssertionError when that fails."""
        order = {"command": command, "given": given or ""}
        self._shell.write(json.dumps(order).encode() + b"\n")
        self._shell.flush()
        done = subprocess.CompletedProcess(command, *json.loads(self._answer(timeout)))
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def stop(self) -> None:
        """Nothing of it is kept, so it is not asked to end."""
        self._qemu.kill()
        self._qemu.wait()
        self._shell.close()
        self._socket.close()

    def _answer(self, timeout: float) -> bytes:
        self._socket.settimeout(timeout)
        return self._shell.readline()


def _command(folder: Path, console: Path, channel: int) -> list[str]:
    kernel = "root=/dev/vda rw quiet console=ttyS0 mitigations=off systemd.show_status=false"
    options = {
        "accel": "tcg,thread=multi",
        "cpu": "max",
        "smp": "2",
        "m": "1024",
        "kernel": f"{folder}/vmlinuz",
        "initrd": f"{folder}/initrd.img",
        "append": kernel,
        "nic": "none",
        "display": "none",
        "serial": f"file:{console}",
        "chardev": f"socket,id=channel,fd={channel}",
        "drive": f"file={folder}/disk,format=raw,if=virtio,snapshot=on",
    }
    command = ["setpriv", "--pdeathsig", "KILL", QEMU, "-no-reboot"]
    command += [word for name, value in options.items() for word in (f"-{name}", value)]
    command += ["-device", "virtio-serial"]
    return [*command, "-device", f"virtserialport,chardev=channel,name={PORT}"]
