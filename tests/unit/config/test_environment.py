"""Which variables a watcher gets, byte for byte, and what stands for what in an option."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

from circus.config.load import Loaded, load
from circus.config.mapping import variables_of, watcher_from_mapping
from circus.config.model import Config, WatcherConfig

PRINTABLE = "".join(char for char in string.printable if char.isprintable()) + "é€\N{GRINNING FACE}"
VARIABLES = "$HOME ${HOME} $(circus.env.home) ((circus.env.home)) $(ENV.HOME) $(circus.wid) $WID"
ENVIRON = {"HOME": "/root", "PATH": "/usr/bin", "ALL": PRINTABLE, "LIKE_OURS": VARIABLES}


def read(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Loaded:
    file = folder / "x.ini"
    file.write_text(text, encoding="utf-8")
    return load(str(file), environ)


def env_of(folder: Path, lines: str) -> Mapping[str, str]:
    return read(folder, f"[watcher:a]\ncmd = x\n[env:a]\n{lines}\n").config.watchers["a"].env


@pytest.mark.parametrize("written", ["$ALL", "$(circus.env.all)", "((circus.env.ALL))"])
def test_t42_a_value_of_ours_arrives_byte_for_byte(tmp_path: Path, written: str) -> None:
    assert env_of(tmp_path, f"A = <{written}>") == {"A": f"<{PRINTABLE}>"}


@pytest.mark.parametrize(
    "written", ["$LIKE_OURS", "$(circus.env.like_ours)", "((circus.env.like_ours))"]
)
def test_t42_a_value_that_looks_like_a_variable_is_not_one(tmp_path: Path, written: str) -> None:
    assert env_of(tmp_path, f"A = {written}") == {"A": VARIABLES}
    loaded = read(tmp_path, f"[watcher:a]\ncmd = x\nworking_dir = {written}\n")
    if written != "$LIKE_OURS":  # that form belongs to the environment sections
        assert loaded.config.watchers["a"].working_dir == VARIABLES
        assert loaded.warnings == ()


@pytest.mark.parametrize("char", [char for char in PRINTABLE if char != " "])
def test_t42_every_printable_character_stands_for_itself(tmp_path: Path, char: str) -> None:
    assert env_of(tmp_path, f"A = x{char}y{char}{char}1") == {"A": f"x{char}y{char}{char}1"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("P = $PATH:/bin", "/usr/bin:/bin"),
        ("P = $NONE:x", ":x"),
        ("P = $HOMEx$HOME", "/rootx/root"),
        ("P = x$$HOME$$$HOME$$", "x$/root$$/root$$"),
        ("P = ${HOME} $home $1 $", "${HOME} $home $1 $"),
        ("P = $(circus.env.none)", "$(circus.env.none)"),
        ("P = $P", ""),
        ("Q = 1\nP = $Q", ""),
        ('P = ""', ""),
        ("P = a=b,c", "a=b,c"),
    ],
)
def test_dollars_in_environment_sections(tmp_path: Path, lines: str, expected: str) -> None:
    assert env_of(tmp_path, lines)["P"] == expected


def test_later_sections_go_before_earlier_and_env_is_weakest(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "[watcher:Web1]\ncmd = x\n[watcher:web2]\ncmd = x\n[watcher:other]\ncmd = x\n"
        "[env: Web1 , web2]\nA = both\nB = both\nc = both\n"
        "[env:Web*]\nA = capital\n[env:web2]\nB = two\n[env:*]\nE = all\nB = all\n"
        "[env:web2]\nB = again\nD = again\n"
        "[env]\nA = weakest\nC = weakest\n",
    ).config
    assert {key: one.env for key, one in config.watchers.items()} == {
        "web1": {"A": "capital", "B": "all", "c": "both", "C": "weakest", "E": "all"},
        # sections of one name are one, which stands where the first stands
        "web2": {"A": "both", "B": "all", "c": "both", "C": "weakest", "D": "again", "E": "all"},
        "other": {"A": "weakest", "C": "weakest", "E": "all", "B": "all"},
    }


def test_a_section_for_nobody_is_told(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[watcher:a]\ncmd = x\n[env:web]\nA = 1\n[env:w*]\nA = 1\n")
    assert [str(one).rpartition("x.ini")[2] for one in loaded.warnings] == [
        ":3: there is no watcher 'web' to give this to"
    ]


def test_variables_in_options(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "[circus]\npidfile = $(circus.env.home)/pid\nhttpd_host = $(ENV.BOTH)\n"
        "[watcher:a]\ncmd = x $(circus.env.home) $(circus.wid)\nnumprocesses = $(circus.env.n)\n"
        "working_dir = ((CIRCUS.ENV.Home))/$(circus.env.both)/${circus.env.own}\n"
        "[socket:s]\npath = $(circus.env.home)/s\n[plugin:p]\nuse = m.C\nfree = $(circus.env.n)\n"
        "[env]\nBOTH = general\nN = 7\n[env:a]\nOWN = own\nBOTH = own\n",
        {"HOME": "/root", "BOTH": "circusd"},
    ).config
    assert (config.circus.pidfile, config.circus.httpd_host) == ("/root/pid", "general")
    watcher = config.watchers["a"]
    assert (watcher.numprocesses, watcher.working_dir) == (7, "/root/own/own")
    # as written: it is for the start of each worker
    assert watcher.cmd == "x $(circus.env.home) $(circus.wid)"
    assert config.sockets["s"].path == "/root/s"
    assert config.plugins["p"].extra["free"] == "7"


def test_variables_of_options() -> None:
    config = watcher_from_mapping("Web", {
        "cmd": "x", "uid": "root", "rlimit_nofile": "1:2", "rlimit_core": "unlimited",
        "stdout_stream.class": "QueueStream", "my.own": 3, "use_sockets": True,
    })  # fmt: skip
    found = variables_of(config)
    for name, value in {
        "name": "Web", "uid": "root", "numprocesses": "1", "priority": "0", "shell": "False",
        "working_dir": "", "rlimits.nofile": "1:2", "rlimits.core": "unlimited", "my.own": "3",
        "stdout_stream.class": "QueueStream", "use_fds": "True", "args": "", "executable": "",
    }.items():  # fmt: skip
        assert found[f"circus.{name}"] == value
    assert "circus.env" not in found


def test_t45_watchers_share_nothing(tmp_path: Path) -> None:
    text = (
        "[DEFAULT]\nstdout_stream.class = QueueStream\nrlimit_nofile = 1\n"
        "hooks.before_start = a.b\n"
        "[env]\nA = 1\n[env:*]\nB = 2\n"
    )
    written = read(tmp_path, text + "[watcher:a]\ncmd = x\n[watcher:b]\ncmd = x\n").config
    bare = [watcher_from_mapping(name, {"cmd": "x"}) for name in ("a", "b")]
    built = [WatcherConfig(name=name, cmd="x") for name in ("a", "b")]
    for one, other in (list(written.watchers.values()), bare, built):
        before = dataclasses.asdict(other)
        for field in dataclasses.fields(WatcherConfig):
            value = getattr(one, field.name)
            if isinstance(value, dict):
                value["added"] = "to one"
        assert dataclasses.asdict(other) == before


def test_names_of_sockets_are_in_lower_case(tmp_path: Path) -> None:
    config: Config = read(
        tmp_path,
        "[watcher:a]\ncmd = x $(circus.sockets.WEB)\nuse_sockets = on\n[socket:Web]\nport = 1\n",
    ).config
    assert [one.name for one in config.sockets.values()] == ["web"]
