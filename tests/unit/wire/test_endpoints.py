"""Where the daemon listens and clients look, when nobody says (Ruling 11)."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from circus.endpoints import (
    Endpoints,
    candidates,
    daemon_endpoints,
    default_directory,
    default_endpoints,
    ipc_path,
)


class Wanted(NamedTuple):
    endpoint: str | None = None
    pubsub_endpoint: str | None = None
    stats_endpoint: str | None = None


@pytest.mark.parametrize(
    ("environ", "uid", "folder"),
    [
        ({}, 0, "/run/circus"),
        ({"XDG_RUNTIME_DIR": "/run/user/0"}, 0, "/run/circus"),
        ({"XDG_RUNTIME_DIR": "/run/user/5/"}, 5, "/run/user/5/circus"),
        ({"RUNTIME_DIRECTORY": "/run/x:/run/y", "XDG_RUNTIME_DIR": "/z"}, 5, "/run/x"),
        ({"RUNTIME_DIRECTORY": "/run/x"}, 0, "/run/x"),
        ({}, 5, "/tmp/circus-5"),
        ({"TMPDIR": "/var/tmp/"}, 5, "/var/tmp/circus-5"),
    ],
)
def test_the_folder(environ: dict[str, str], uid: int, folder: str) -> None:
    assert default_directory(environ, uid) == folder
    assert default_endpoints(environ, uid).control == f"ipc://{folder}/control"


def test_t52_nothing_listens_on_the_network_unless_it_is_written() -> None:
    assert all(one.startswith("ipc://") for one in daemon_endpoints(Wanted(), {}, 0))
    found = daemon_endpoints(Wanted(endpoint="tcp://127.0.0.1:1"), {}, 0)
    assert found == Endpoints("tcp://127.0.0.1:1", *default_endpoints({}, 0)[1:])


def test_clients_look_in_this_order() -> None:
    environ = {"CIRCUSCTL_ENDPOINT": "ipc:///b"}
    assert candidates("ipc:///a", environ, 5) == ["ipc:///a"]
    assert candidates(None, environ, 5) == ["ipc:///b"]
    assert candidates(None, {}, 5) == [
        "ipc:///tmp/circus-5/control",
        "ipc:///run/circus/control",
        "tcp://127.0.0.1:5555",
    ]
    assert candidates(None, {}, 0) == ["ipc:///run/circus/control", "tcp://127.0.0.1:5555"]


def test_paths() -> None:
    assert ipc_path("ipc:///a/b") == "/a/b"
    assert ipc_path("tcp://x:1") is None
