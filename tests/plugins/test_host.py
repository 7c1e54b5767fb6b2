"""Plugins as circusd runs them: started, given their options, changed, told to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.circusd import EXIT_CONFIG
from circus.curve import make_keys
from tests.plugins.conftest import WATCHER, told
from tests.support import Daemon, needs_root, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

LOGGER = """
[plugin:logger]
use = mine.Logger
filename = FOLDER/events of w.log
"""
TELLER = """
[circus]
check_delay = 3
[plugin:Teller]
use = tests.plugins.written.told:Tells
file = FOLDER/told
"""
PLUGINS = WATCHER + LOGGER + TELLER


def heard(daemon: Daemon, *actions: str) -> None:
    """Return once the teller has heard of these; until then `w` is restarted."""

    def all_of_them() -> bool:
        return {one["action"] for one in told(daemon) if one.get("name") == "w"} >= set(actions)

    with daemon.restarting("w"):
        wait_until(all_of_them)


def check(*lines: str, folder: Path) -> tuple[int, str]:
    """Status of `circusd --check`, and what it complains of."""
    file = folder / "circus.ini"
    file.write_text("\n".join([WATCHER, *lines, ""]))
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr.replace(f"{file}:", "")


# -- run ------------------------------------------------


def test_the_logger_of_the_documentation_runs_as_written(circusd: Start) -> None:
    daemon = circusd(WATCHER + LOGGER + TELLER)
    (pid,) = daemon.wait_pids("plugin:logger", 1)
    heard(daemon, "spawn")
    with daemon.restarting("w"):  # what it writes stays in its memory up to some length
        wait_until(lambda: daemon.file("events of w.log"))
    daemon.call("stop", name="plugin:logger", waiting=True)
    assert "b'watcher.w.spawn'::b'{" in daemon.file("events of w.log")
    assert f"plugin:logger.1 (pid {pid}) exited with code 0" in daemon.text()


def test_a_plugin_with_the_loop_of_tornado_runs_unchanged(circusd: Start) -> None:
    use = "tests.plugins.written.periodic.Periodic"
    daemon = circusd(f"{WATCHER}[plugin:p]\nuse = {use}\nfile = FOLDER/written\n")
    expected = {"callback", "timeout", "watchers 2"}
    wait_until(lambda: set(daemon.file("written").splitlines()) == expected)


def test_options_arrive_as_text_with_blanks_and_quotes(circusd: Start) -> None:
    written = 'two = two words: and "more"\nquoted = "^a.*$"\nodd = it\'s :::\npriority = 7\n'
    daemon = circusd(PLUGINS + written)
    first, *_ = wait_until(lambda: told(daemon))
    assert first["delay"] == 3
    assert first["config"] == {
        "name": "plugin:Teller",
        "file": f"{daemon.folder}/told",
        "two": 'two words: and "more"',
        "quoted": "^a.*$",
        "odd": "it's :::",
        "priority": "7",
    }
    options = daemon.call("get", name="plugin:teller", keys=["priority", "singleton"])["options"]
    assert options == {"priority": 7, "singleton": True}
    (pid,) = daemon.pids("plugin:teller")
    # a password is for nobody else who is on this machine
    assert "two words" not in Path(f"/proc/{pid}/cmdline").read_text()


def test_events_arrive_and_it_may_still_ask_when_it_is_to_end(circusd: Start) -> None:
    daemon = circusd(PLUGINS)
    heard(daemon, "spawn", "kill", "reap", "start", "stop")
    daemon.call("stop", name="plugin:teller", waiting=True)
    assert told(daemon)[-1] == {"stopped": 3}


def test_a_plugin_that_is_not_active_is_not_run(circusd: Start) -> None:
    daemon = circusd(PLUGINS + "active = no\n")
    assert daemon.call("list")["watchers"] == ["plugin:logger", "w"]
    daemon.write(PLUGINS)
    daemon.call("reloadconfig", waiting=True)
    assert daemon.call("list")["watchers"] == ["plugin:logger", "plugin:teller", "w"]


def test_a_plugin_that_dies_is_started_again(circusd: Start) -> None:
    daemon = circusd(PLUGINS)
    (pid,) = daemon.wait_pids("plugin:teller", 1)
    wait_until(lambda: told(daemon))
    daemon.call("signal", name="plugin:teller", signum="kill")
    wait_until(lambda: len([one for one in told(daemon) if "config" in one]) == 2)
    assert daemon.pids("plugin:teller") != [pid]


# -- changed ------------------------------------------------


def test_t18_a_reload_leaves_a_plugin_alone_unless_it_changed(circusd: Start) -> None:
    daemon = circusd(PLUGINS)
    names = ("plugin:logger", "plugin:teller", "w")
    before = {name: daemon.wait_pids(name, 1) for name in names}
    for _ in range(2):
        assert daemon.call("reloadconfig", waiting=True)["steps"] == []
    assert {name: daemon.pids(name) for name in names} == before
    daemon.write(f"{PLUGINS}more = 1\n")
    (step,) = daemon.call("reloadconfig", waiting=True)["steps"]
    assert (step["name"], step["why"]) == ("plugin:Teller", ["more"])
    after = {name: daemon.wait_pids(name, 1) for name in names}
    assert [name for name in names if before[name] != after[name]] == ["plugin:teller"]
    wait_until(lambda: any(one.get("config", {}).get("more") == "1" for one in told(daemon)))


# -- what is wrong ------------------------------------------------


def test_a_class_that_is_not_there_is_told_at_the_check(tmp_path: Path) -> None:
    found = check(
        *("[plugin:a]", "use = mine.Missing", "[plugin:b]", "use = json.dumps"), folder=tmp_path
    )
    assert found == (
        EXIT_CONFIG,
        "5: use: cannot import 'mine.Missing': 'mine' has no 'Missing'\n"
        "7: use: 'json.dumps' is not a class of plugins: it has no start()\n",
    )


def test_with_debug_what_it_says_goes_through_circusd(circusd: Start) -> None:
    use = "circus.plugins.flapping.Flapping"
    daemon = circusd(f"[circus]\ndebug = True\n[plugin:p]\nuse = {use}\n")

    def passed_on() -> bool:
        output = daemon.call("stats", name="plugin:p").get("output", {})
        return bool(output.get("stderr", {}).get("written"))

    wait_until(passed_on)
    wait_until(lambda: "[INFO] Loading the plugin..." in daemon.text())


def test_what_is_not_installed_is_told(tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ImportError")
    use = "circus.plugins.redis_observer.RedisObserver"
    status, said = check("[plugin:a]", f"use = {use}", folder=tmp_path)
    assert status == EXIT_CONFIG
    known = "Debian has it as python3-redis, pip as circus[redis]"
    assert said.endswith(f"{use!r}: redis-py is not installed: {known}\n")
    assert said.count("\n") == 1


def test_wrong_options_of_shipped_plugins_are_told(tmp_path: Path) -> None:
    use = "circus.plugins.resource_watcher.ResourceWatcher"
    found = check(
        *("[plugin:a]", f"use = {use}"),
        *("[plugin:b]", f"use = {use}", "watcher = w", "max_mem = lots"),
        *("[plugin:c]", f"use = {use}", "watcher = w", "max_mem = 200M"),
        folder=tmp_path,
    )
    missing = "NotImplementedError: watcher is missing: the name of the one to look after"
    assert found == (
        EXIT_CONFIG,
        f"5: use: cannot set plugin:a up: {missing}\n"
        "7: use: max_mem: 'lots' is not a size such as 200M\n",
    )


def test_a_class_that_takes_for_ever_to_import_is_told(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import threading\nthreading.Event().wait()\n")
    found = check("[plugin:a]", "use = slow.Plugin", "hook_timeout = 0.5", folder=tmp_path)
    assert found == (EXIT_CONFIG, "5: use: importing it takes more than 0.5 s\n")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("env_file = /nowhere/env", "env_file: '/nowhere/env': no such file"),
        ("working_dir = /nowhere", "working_dir: '/nowhere' is not a directory"),
    ],
)
def test_what_keeps_the_class_from_being_tried_is_told_once(
    tmp_path: Path, option: str, says: str
) -> None:
    found = check("[plugin:a]", "use = mine.Logger", option, folder=tmp_path)
    assert found == (EXIT_CONFIG, f"6: {says}\n")


def test_a_class_that_is_not_there_stops_no_daemon(circusd: Start) -> None:
    daemon = circusd(PLUGINS)
    (pid,) = daemon.wait_pids("plugin:logger", 1)
    daemon.write(PLUGINS.replace("mine.Logger", "mine.Missing"))
    answer = daemon.call("reloadconfig", waiting=True)
    assert answer["reason"].endswith("use: cannot import 'mine.Missing': 'mine' has no 'Missing'")
    assert daemon.pids("plugin:logger") == [pid]


def test_one_that_cannot_be_set_up_says_why_and_is_given_up(circusd: Start) -> None:
    use = "tests.plugins.written.told.Fails"
    daemon = circusd(f"{WATCHER}[plugin:f]\nuse = {use}\nbackoff_delay = 0\nmax_retry = 2\n")
    wait_until(lambda: daemon.slots("plugin:f")[0]["state"] == "failed")
    say = "circus-plugin: cannot set plugin:f up: "
    assert say in daemon.text()
    assert "missing 1 required keyword-only argument: 'needed'" in daemon.text()


def test_what_the_watcher_of_a_plugin_cannot_be_is_told_at_its_line(tmp_path: Path) -> None:
    status, said = check(
        *(
            "[plugin:a]",
            "use = mine.Logger",
            "numprocesses = 2",
            "[watcher:plugin:a]",
            "cmd = true",
        ),
        folder=tmp_path,
    )
    assert status == EXIT_CONFIG
    assert "6: a singleton cannot have numprocesses above 1\n" in said
    assert "4: there is a [watcher:plugin:a], which is what this plugin's process" in said


def test_what_a_plugin_needs_has_to_be_there(tmp_path: Path) -> None:
    needs = ("requires = nobody", "uid = no-such-user", "hooks.before_start = mine.missing")
    status, said = check(
        "[plugin:a]", "use = mine.Logger", *needs, "[plugin:b]", "x = 1", folder=tmp_path
    )
    assert (status, said) == (
        EXIT_CONFIG,
        "6: requires: there is no watcher 'nobody'\n"
        "7: uid: there is no user 'no-such-user'\n"
        "8: hooks.before_start: cannot import 'mine.missing': 'mine' has no 'missing'\n"
        "9: [plugin:b] has no use\n",
    )


# -- through the endpoint, as anyone would ------------------------------------------------


ASKS = f"{WATCHER}[plugin:a]\nuse = tests.plugins.written.told.Asks\n"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "circusd did not answer 'numwatchers' within 0.5 s, at tcp://"),
        ("curve_key = KEYS/plugins.key_secret\n", "answer: ok"),
    ],
)
def test_a_plugin_needs_a_key_where_all_do(tmp_path: Path, key: str, said: str) -> None:
    make_keys(str(tmp_path), "plugins", "read")
    tcp = "[circus]\nendpoint = tcp://127.0.0.1:*\npubsub_endpoint = tcp://127.0.0.1:*\n"
    text = f"{tcp}curve = True\ncurve_keys = KEYS\n{ASKS}{key}"
    daemon = Daemon(text.replace("KEYS", str(tmp_path)))
    try:
        wait_until(lambda: said in daemon.text())
        assert ("[plugin:a] has no curve_key" in daemon.text()) == (not key)
    finally:
        daemon.stop()


@needs_root
def test_one_that_runs_as_somebody_else_may_do_what_they_may(circusd: Start) -> None:
    asks = f"{ASKS}nobody = yes\n"
    daemon = circusd("[circus]\nread_users = nobody\n" + asks)
    daemon.folder.chmod(0o711)
    daemon.call("restart", name="plugin:a")
    wait_until(lambda: "answer: ok" in daemon.text())
    daemon.write("[circus]\nread_users = daemon\n" + asks)
    daemon.call("reloadconfig", waiting=True)
    daemon.call("restart", name="plugin:a")
    wait_until(lambda: "answer: denied: " in daemon.text())
