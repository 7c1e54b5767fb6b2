"""circusd-stats as the watcher that runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from circus.config.load import load
from circus.config.model import Config, WatcherConfig
from circus.config.plan import plan
from circus.config.stats import GUESTS, NAME, with_stats
from circus.endpoints import Endpoints
from circus.exc import ConfigError
from circus.steps import Action, Step

AT = Endpoints("tcp://*:5555", "ipc:///x/pubsub", "ipc:///x/stats")


def read(folder: Path, *lines: str) -> Config:
    file = folder / "x.ini"
    file.write_text("\n".join(["[circus]", *lines, ""]))
    config = load(str(file), {}).config
    return with_stats(config, AT, "python")


def stats(folder: Path, *lines: str) -> WatcherConfig:
    return read(folder, "statsd = True", *lines).watchers[NAME]


def guests(config: WatcherConfig) -> Any:
    return json.loads(config.env[GUESTS])


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ((), False),
        (("statsd = True",), True),
        (("stats_endpoint = ipc:///x/stats",), True),
        (("stats_endpoint = ipc:///x/stats", "statsd = False"), False),
    ],
)
def test_an_endpoint_or_statsd_asks_for_it(
    tmp_path: Path, lines: tuple[str, ...], *, wanted: bool
) -> None:
    assert (NAME in read(tmp_path, *lines).watchers) is wanted


def test_it_may_be_told_to_go_through_ssh(tmp_path: Path) -> None:
    assert stats(tmp_path, "ssh_server = me@there:22").args[-1] == "--ssh=me@there:22"


def test_it_reaches_circusd_as_any_client_and_has_its_sockets(tmp_path: Path) -> None:
    found = stats(tmp_path)
    assert found.args == (
        *("-P", "-m", "circus.stats", "--endpoint", "tcp://127.0.0.1:5555"),
        *("--pubsub", "ipc:///x/pubsub", "--statspoint", "ipc:///x/stats"),
    )
    assert (found.cmd, found.priority, found.numprocesses) == ("python", 0, 1)
    assert found.singleton
    assert found.use_sockets
    assert found.copy_env
    assert found.copy_path


def test_debug_shows_what_it_says(tmp_path: Path) -> None:
    found = stats(tmp_path, "debug = True", "statsd_close_outputs = True")
    assert found.args[-2:] == ("--log-level", "debug")
    assert found.stdout_stream == found.stderr_stream == {"class": "StdoutStream"}
    assert not found.close_child_stderr


def test_its_output_can_be_closed(tmp_path: Path) -> None:
    found = stats(tmp_path, "statsd_close_outputs = True")
    assert (found.close_child_stdout, found.close_child_stderr) == (True, True)


def test_who_may_look_at_circusd_is_let_in(tmp_path: Path) -> None:
    found = stats(tmp_path, "operate_users = a", "admin_groups = g", "endpoint_owner = o",
        "[watcher:w]", "cmd = x", "operate_users = b", "operate_groups = h")  # fmt: skip
    grants = guests(found)["grants"]
    assert (grants["read_users"], grants["read_groups"]) == (["a", "b"], ["g", "h"])
    assert grants["endpoint_owner"] == "o"
    assert guests(stats(tmp_path, "read_users = *", "admin_users = c"))["grants"]["read_users"] == [
        "*"
    ]


def test_it_knows_where_the_keys_are(tmp_path: Path) -> None:
    assert guests(stats(tmp_path))["curve"] is None
    assert guests(stats(tmp_path, "curve = True"))["curve"] == str(tmp_path / "curve")


def test_it_is_started_anew_when_somebody_else_is_let_in(tmp_path: Path) -> None:
    before, after = read(tmp_path, "statsd = on"), read(tmp_path, "statsd = on", "read_users = a")
    steps = plan(before, after)
    assert Step("watcher", NAME, Action.ROLLING, (f"env.{GUESTS}",)) in steps


def test_its_name_is_taken(tmp_path: Path) -> None:
    section = (f"[watcher:{NAME}]", "cmd = x")
    read(tmp_path, *section)
    with pytest.raises(ConfigError, match=r"x\.ini:3: circusd runs a watcher of this name itself"):
        read(tmp_path, "statsd = True", *section)
