"""A real sshd on loopback, and the way of our ssh to it."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import free_port, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = "/usr/sbin/sshd"


class Server:
    """An sshd of our own: its keys, its port, its log, and the client's configuration for it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="circus-sshd-", dir="/tmp"))
        for name in ("host", "user", "wrong"):
            self._make_key(name)
        self._make_key("locked", "open sesame")
        keys = [(self.folder / f"{name}.pub").read_text() for name in ("user", "locked")]
        (self.folder / "authorized").write_text("".join(keys))
        self.port = free_port()
        self.name = f"{getpass.getuser()}@127.0.0.1:{self.port}"
        self.log = self.folder / "log"
        self._configure()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd insists
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")], stderr=log
            )
        wait_until(lambda: "listening on" in text_of(self.log))

    def _make_key(self, name: str, phrase: str = "") -> None:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", str(self.folder / name)],
            check=True,
        )

    def _configure(self) -> None:
        host = (self.folder / "host.pub").read_text()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {host}")
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile none\nUsePAM no\n"
            "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        )
        (self.folder / "ssh_config").write_text(
            f"UserKnownHostsFile {self.folder}/known\nGlobalKnownHostsFile none\n"
            "StrictHostKeyChecking yes\nIdentityAgent none\n"
        )

    def key(self, name: str = "user") -> str:
        return str(self.folder / name)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def sshd() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def temporary(
    sshd: Server, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Where tunnels have their folders; at the end there is none left."""
    tmp_path_factory.getbasetemp()  # where pytest has its own, which stay, is settled before
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("CIRCUS_SSH", f"ssh -F {sshd.folder}/ssh_config")
    yield folder
    wait_until(lambda: not list(folder.iterdir()))
    folder.rmdir()
