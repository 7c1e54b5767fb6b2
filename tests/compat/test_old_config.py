"""A file as programs for circus 0.19 read it."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from circus import config
from circus.exc import ConfigError
from circus.watcher import Watcher

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
[circus]
check_delay = 3
[watcher:web]
cmd = sleep 5
numprocesses = 2
rlimit_nofile = 100
hooks.before_start = mine.hook, true
stdout_stream.filename = /tmp/out
own = 1
[env:web]
A = 1
[socket:s]
port = 0
[plugin:p]
use = mine.Plugin
other = 2
"""


def test_everything_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "circus.ini"
    path.write_text(FILE)
    found = config.get_config(str(path))
    assert found["check_delay"] == 3.0
    assert found["pidfile"] is None
    (web,), (sock,), (plugin,) = found["watchers"], found["sockets"], found["plugins"]
    assert {key: web[key] for key in ("__name__", "name", "cmd", "numprocesses", "env", "own")} == {
        "__name__": "watcher:web", "name": "web", "cmd": "sleep 5", "numprocesses": 2,
        "env": {"A": "1"}, "own": "1",
    }  # fmt: skip
    assert (sock["name"], sock["port"]) == ("s", 0)
    assert plugin == {"name": "p", "use": "mine.Plugin", "other": "2"}
    watcher = Watcher.load_from_config(dict(web))
    assert watcher.config.rlimits == {"nofile": (100, 100)}
    assert watcher.config.hooks == {"before_start": ("mine.hook", True)}
    assert watcher.config.stdout_stream == {"filename": "/tmp/out"}


def test_a_wrong_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "circus.ini"
    path.write_text("[watcher:web]\n")
    with pytest.raises(ConfigError):
        config.get_config(str(path / "nope"))
    path.write_text("[watcher:web]\nnumprocesses = many\n")
    with pytest.raises(ConfigError, match=":2: numprocesses: 'many' is not a whole number"):
        config.get_config(str(path))


def test_defaults_are_those_of_a_watcher() -> None:
    found = config.watcher_defaults()
    assert (found["numprocesses"], found["graceful_timeout"], found["env"]) == (1, 30.0, {})
    assert "cmd" not in found
    Watcher("w", "sleep 5", **found)
    found["env"]["A"] = "1"
    assert config.watcher_defaults()["env"] == {}


def test_limits_and_a_reader_of_sections() -> None:
    assert config.rlimit_value("unlimited") == resource.RLIM_INFINITY
    assert config.rlimit_value("100") == 100
    reader = config.DefaultConfigParser()
    reader.read_string("[Own]\nTimes = 3\n")
    assert reader.dget("Own", "Times", type=int) == 3
    assert reader.dget("Own", "Nothing", "some") == "some"
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        config.nope  # type: ignore[attr-defined]  # noqa: B018 it is not there
