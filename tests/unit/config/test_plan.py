"""What a change of a file comes to, for every option there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from circus.config import kinds
from circus.config.load import load
from circus.config.model import CircusConfig, Config, SocketConfig, WatcherConfig
from circus.config.plan import ACTIONS, plan
from circus.config.schema import OnChange, Row, rows
from circus.steps import Action, Step

NUMBERS = ("3", "7")
TWO = {
    kinds.TEXT: ("one", "two"),
    kinds.COMMAND: ("one 1", "two 2"),
    kinds.WORDS: ("one 1", "two 2"),
    kinds.BOOLEAN: ("true", "false"),
    kinds.SIGNAL: ("INT", "9"),
    kinds.UMASK: ("022", "077"),
    kinds.OCTAL: ("600", "660"),
    kinds.IDENTIFIER: ("root", "0"),
    kinds.PROTOCOL: ("sctp", "17"),
    kinds.NAMES: ("b", "b,c"),
    kinds.PATHS: ("*.one", "*.one *.two"),
    kinds.LIMIT: ("10", "unlimited"),
    kinds.PROCESSOR: ("50%", "200%"),
    kinds.HOOK: ("a.b", "a.b,true"),
    kinds.ANYTHING: ("one", "two"),
    kinds.ENDPOINT: ("ipc:///run/one", "tcp://127.0.0.1:5555"),
    kinds.MULTICAST: ("udp://1.2.3.4:5", "udp://1.2.3.4:6"),
    kinds.LEVEL: ("debug", "error"),
    kinds.FAMILY: ("AF_INET6", "AF_INET"),
    kinds.SOCKET_TYPE: ("SOCK_DGRAM", "SOCK_SEQPACKET"),
    kinds.BACKEND: ("gevent", "thread"),
}
KEYS = {
    "rlimit_": "rlimit_nofile",
    "hooks.": "hooks.before_start",
    "stdout_stream.": "stdout_stream.filename",
    "stderr_stream.": "stderr_stream.filename",
}
NEEDED = {
    **dict.fromkeys(("copy_path", "virtualenv"), "copy_env = True\n"),
    **dict.fromkeys(("owner", "group", "mode"), "path = /x\n"),
}
OTHERS = (
    "[watcher:b]\ncmd = x\n[watcher:c]\ncmd = x\n"
    "[socket:b]\nport = 1\n[socket:c]\nport = 1\n[socket:one]\nport = 1\n[socket:two]\nport = 1\n"
)
OPTIONS = [
    *(("circus", row) for row in rows(CircusConfig)),
    *(("watcher", row) for row in rows(WatcherConfig) if row.name not in ("env", "cmd")),
    *(("socket", row) for row in rows(SocketConfig)),
]


def read(folder: Path, section: str, lines: str) -> Config:
    file = folder / "x.ini"
    base = {
        "circus": "[circus]\n{}[watcher:a]\ncmd = x\n",
        "watcher": "[watcher:a]\ncmd = x\n{}",
        "socket": "[socket:a]\nfree = 1\n{}",
    }
    file.write_text(base[section].format(lines) + OTHERS)
    return load(str(file), {}).config


def step(running: Config, wanted: Config) -> Step | None:
    """The one for `a` or for the daemon."""
    found = [one for one in plan(running, wanted) if one.name in ("a", "circus")]
    # the daemon's respawn is the default of every watcher's
    return found[0] if found else None


def value_of(config: Config, section: str, row: Row) -> Any:
    held: Any = config.circus if section == "circus" else getattr(config, f"{section}s")["a"]
    return getattr(held, row.field)


@pytest.mark.parametrize(
    ("section", "row"), [pytest.param(s, r, id=f"{s}-{r.name}") for s, r in OPTIONS]
)
def test_t11_every_option_added_changed_and_removed_is_a_step(
    tmp_path: Path, section: str, row: Row
) -> None:
    key = KEYS.get(row.name, row.name)
    texts = TWO.get(row.kind, NUMBERS)
    needed = NEEDED.get(key, "")
    lines = ["", *(f"{key} = {text}\n" for text in texts)]
    found = [read(tmp_path, section, needed + line) for line in lines]
    for before in found:
        for after in found:
            told = step(before, after)
            if value_of(before, section, row) == value_of(after, section, row):
                assert told is None
            else:
                assert told is not None
                assert told.reasons == (key,)
                values = (value_of(one, section, row) for one in (before, after))
                spared = row.spares is not None and row.spares(*values)
                action = Action.LIVE if spared else ACTIONS[row.on_change]
                assert (told.kind, told.action) == (section, action)
    effective = [value_of(one, section, row) for one in found]
    assert effective[1] != effective[2]
    assert effective[0] == (row.default if not row.prefix else {})


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        ("filename = a", "filename = b", Action.LIVE),
        ("filename = a", "class = JournalStream", Action.LIVE),
        ("filename = a", "", Action.ROLLING),
        ("", "class = StdoutStream", Action.ROLLING),
        ("class = JournalStream\nstdout_stream.mode = direct", "filename = a", Action.ROLLING),
        ("filename = a", "class = JournalStream\nstdout_stream.mode = direct", Action.ROLLING),
    ],
)
def test_workers_are_spared_when_circusd_reads_both_streams(
    tmp_path: Path, before: str, after: str, action: Action
) -> None:
    one, other = (
        read(tmp_path, "watcher", f"stdout_stream.{text}\n" if text else "")
        for text in (before, after)
    )
    told = step(one, other)
    assert told is not None
    assert told.action is action


def test_t11_variables_and_free_keys_added_changed_and_removed_are_steps(tmp_path: Path) -> None:
    def with_env(text: str) -> Config:
        return read(tmp_path, "watcher", f"free = {text}\n[env:a]\nNAME = {text}\n[watcher:a]\n")

    absent, one, two = read(tmp_path, "watcher", ""), with_env("one"), with_env("two")
    for before, after in [(absent, one), (one, two), (two, absent)]:
        told = step(before, after)
        assert told is not None
        assert told == Step("watcher", "a", Action.ROLLING, ("env.NAME", "free"))


def test_t11_a_free_key_alone_is_a_step_that_costs_nothing(tmp_path: Path) -> None:
    absent, *texts = (read(tmp_path, "watcher", line) for line in ("", "free = 1\n", "free = 2\n"))
    for before, after in [(absent, texts[0]), (texts[0], texts[1]), (texts[1], absent)]:
        assert step(before, after) == Step("watcher", "a", Action.LIVE, ("free",))


def test_t11_watchers_added_and_removed_are_steps(tmp_path: Path) -> None:
    file = tmp_path / "x.ini"
    file.write_text("[watcher:a]\ncmd = x\n[watcher:b]\ncmd = x\n[socket:s]\nport = 1\n")
    first = load(str(file), {}).config
    file.write_text("[watcher:a]\ncmd = x\n[watcher:c]\ncmd = x\n")
    second = load(str(file), {}).config
    assert [(one.kind, one.name, one.action) for one in plan(first, second)] == [
        ("watcher", "b", Action.STOP),
        ("socket", "s", Action.STOP),
        ("watcher", "c", Action.START),
    ]


def test_t12_a_change_of_the_daemon_is_no_step_of_a_watcher(tmp_path: Path) -> None:
    before = read(tmp_path, "circus", "loglevel = info\n")
    after = read(tmp_path, "circus", "loglevel = debug\ncheck_delay = 9\n")
    told = step(before, after)
    assert told is not None
    assert (told.kind, told.reasons) == ("circus", ("check_delay", "loglevel"))


def test_the_dearest_of_several_changes_counts(tmp_path: Path) -> None:
    before = read(tmp_path, "watcher", "")
    live = step(before, read(tmp_path, "watcher", "priority = 3\nnumprocesses = 4\n"))
    dear = step(before, read(tmp_path, "watcher", "priority = 3\nargs = x\n"))
    assert live is not None
    assert dear is not None
    assert (live.action, dear.action) == (Action.LIVE, Action.ROLLING)
    assert OnChange.RECONCILE < OnChange.REPLACE
