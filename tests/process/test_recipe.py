"""Configurations to orders: what a start is made of, and what is worked out once."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.config.load import load
from circus.config.mapping import watcher_from_mapping
from circus.config.model import CircusConfig, Config, SocketConfig
from circus.exc import SpawnError
from circus.host.spawn import Order
from circus.host.survey import survey, survey_all
from circus.recipe import Recipe
from circus.sockets import CircusSockets
from tests.support import as_user, needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from circus.sockets import CircusSocket

VARIABLES = "$HOME ${HOME} $(circus.env.home) ((circus.wid)) $(ENV.HOME) $(circus.wid) $WID"


def recipe(declared: Mapping[str, CircusSocket] | None = None, /, **options: Any) -> Recipe:
    return Recipe(watcher_from_mapping("w", {"cmd": "program", **options}), declared or {})


def order(wid: int = 1, /, **options: Any) -> Order:
    return recipe(**options).order(wid, "mark", None, None)


def env(**options: Any) -> dict[str, str]:
    found = dict(order(**options).env)
    assert found.pop("CIRCUS_WORKER") == "mark"
    return found


# -- the command line -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"cmd": "a 'b c' d", "args": '"e f" g'}, ("a", "b c", "d", "e f", "g")),
        ({"cmd": "a", "args": ["b c", "$(circus.wid)"]}, ("a", "b c", "7")),
        ({"cmd": ["a b", "c"]}, ("a b", "c")),
        ({"cmd": ["a b"]}, ("a b",)),
        ({"cmd": '"a --b 3"', "args": "c"}, ("a", "--b", "3", "c")),
        ({"cmd": '"/opt/a b" c'}, ("/opt/a b", "c")),
        ({"cmd": '"/opt/a b"'}, ("/opt/a b",)),
        ({"cmd": "a $WID $(WID) $(circus.wid) ((circus.wid)) ${circus.wid} $(Circus.Wid)"},
         ("a", *"777777")),
        ({"cmd": "a $wid $WIDE $(wide) $(circus.nope)"},
         ("a", "$wid", "$WIDE", "$(wide)", "$(circus.nope)")),
        ({"cmd": "a $(circus.env.mine) $(ENV.MINE)", "env": {"MINE": "x"}}, ("a", "x", "x")),
        ({"cmd": "a $(circus.env.mine)", "env": {"MINE": "x y"}}, ("a", "x", "y")),
        ({"cmd": "a $(circus.uid)", "uid": "nobody", "gid": 0}, ("a", "nobody")),
        ({"cmd": "a $(circus.rlimits.nofile) $(circus.priority)", "rlimit_nofile": 9},
         ("a", "9", "0")),
        ({"cmd": "echo '$(date)' \"$WID\"", "args": "a  b", "shell": True, "shell_args": "x 'y z'"},
         ("/bin/sh", "-c", "echo '$(date)' \"7\" a  b", "x", "y z")),
        ({"cmd": "exec", "args": ["a b", "$WID"], "shell": True},
         ("/bin/sh", "-c", "exec 'a b' 7")),
    ],
)  # fmt: skip
def test_words(options: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert order(7, **options).argv == expected


def test_a_variable_of_the_worker_goes_before_one_of_circusd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE", "circusd")
    cmd = "a $(circus.env.source)"
    assert order(cmd=cmd).argv == ("a", "circusd")
    assert order(cmd=cmd, env={"SOURCE": "worker"}).argv == ("a", "worker")


def test_t42_what_a_variable_holds_is_not_looked_at_again() -> None:
    found = order(cmd="a", args=["$(circus.env.x)"], env={"X": VARIABLES}).argv
    assert found == ("a", VARIABLES)


def test_a_command_without_words_is_a_reason() -> None:
    with pytest.raises(SpawnError, match="cmd is empty"):
        order(cmd="$(circus.working_dir)")


@pytest.fixture
def sockets() -> Iterator[CircusSockets]:
    found = CircusSockets()
    for name in ("a", "b", "c"):
        config = SocketConfig(name=name, host="127.0.0.1", port=0, so_reuseport=name == "c")
        found.prepare({name: config}).commit()
    yield found
    found.close_all()


def test_t38_what_is_named_is_handed_over_in_that_order(sockets: CircusSockets) -> None:
    made = recipe(
        sockets,
        cmd="x $(circus.sockets.B) ((circus.sockets.a))",
        args="${circus.sockets.b}",
        env={"NUMBER": "<$(circus.sockets.A)>", "OTHER": "$(circus.wid)"},
    ).order(1, "mark", None, None)
    assert made.argv == ("x", "3", "4", "3")
    assert made.handed == ((sockets["b"].fd, 3), (sockets["a"].fd, 4))
    assert dict(made.env) == {
        "CIRCUS_WORKER": "mark",
        "NUMBER": "<4>",
        "OTHER": "$(circus.wid)",
    }
    for asking in ({"sockets": "A"}, {"env": {"X": "((circus.sockets.a))"}}):
        one = recipe(sockets, cmd="x", **asking).order(1, "mark", None, None)
        assert one.handed == ((sockets["a"].fd, 3),)


def test_a_value_of_a_file_stands_before_one_with_a_socket(
    sockets: CircusSockets, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text("NUMBER=mine\n")
    env = {"NUMBER": "<$(circus.sockets.a)>", "SAME": "<$(circus.sockets.a)>"}
    made = recipe(sockets, cmd="x", env=env, env_file=str(file)).order(1, "mark", None, None)
    assert (made.env["NUMBER"], made.env["SAME"]) == ("mine", "<3>")


@pytest.mark.parametrize("asked", ["a", "b, a"])
def test_what_is_told_by_number_is_not_announced_as_well(
    sockets: CircusSockets, asked: str
) -> None:
    many = recipe(sockets, cmd="x $(circus.sockets.b)", sockets=asked, use_sockets=True)
    made = many.order(1, "mark", None, None)
    assert made.argv == ("x", "4")
    assert made.handed == ((sockets["a"].fd, 3), (sockets["b"].fd, 4))
    assert (made.env["LISTEN_FDS"], made.env["LISTEN_FDNAMES"]) == ("1", "a")


def test_who_asks_for_no_socket_gets_none(sockets: CircusSockets) -> None:
    made = recipe(sockets, cmd="x").order(1, "mark", None, None)
    assert made.handed == ()
    assert "LISTEN_FDS" not in made.env


def test_who_names_none_gets_all_also_under_the_numbers_that_are_told(
    sockets: CircusSockets,
) -> None:
    made = recipe(sockets, cmd="x", use_sockets=True).order(1, "mark", None, None)
    assert dict(made.handed) == {sockets["a"].fd: sockets["a"].fd, sockets["b"].fd: sockets["b"].fd}
    assert {number: fd for fd, number in made.handed}.keys() >= {3, 4}
    assert made.env["LISTEN_FDS"] == "2"


def test_a_socket_is_the_standard_input(sockets: CircusSockets) -> None:
    made = recipe(sockets, cmd="x", stdin_socket="B").order(1, "m", None, None)
    assert (made.stdin, made.handed) == (sockets["b"].fd, ())
    with pytest.raises(SpawnError, match="'nobody' over: there is no such socket"):
        recipe(sockets, cmd="x", stdin_socket="nobody").order(1, "m", None, None)
    with pytest.raises(SpawnError, match="'nobody' over: there is no such socket"):
        recipe(sockets, cmd="x $(circus.sockets.nobody)").order(1, "m", None, None)


def test_t36_a_socket_of_a_workers_own_is_ours_only_while_it_is_started(
    sockets: CircusSockets,
) -> None:
    made = recipe(sockets, cmd="x $(circus.sockets.c)", stdin_socket="c")
    before = os.listdir("/proc/self/fd")
    with made.own_sockets() as own:
        order = made.order(1, "mark", None, None, own)
        assert order.handed == ((own["c"], 3),)
        assert order.stdin == own["c"] != sockets["c"].fd
        address = (sockets["c"].host, sockets["c"].port)
        socket.create_connection(address, timeout=20).close()
    assert os.listdir("/proc/self/fd") == before
    with recipe(sockets, cmd="x", use_sockets=True).own_sockets() as own:
        assert own == {}


# -- the environment ------------------------------------------------------------------


def test_t42_t44_the_environment_is_copied_byte_for_byte_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for code in range(1, 256):
        monkeypatch.setenv(f"B{code}", os.fsdecode(b"x" + bytes([code]) + b"y"))
    monkeypatch.setenv("SIGNS", VARIABLES)
    assert env(copy_env=True) == dict(os.environ)
    assert env(copy_env=True, env={"MORE": "1"}) == {**os.environ, "MORE": "1"}
    assert env() == {}
    assert env(env={"SIGNS": VARIABLES}) == {"SIGNS": VARIABLES}


def test_t45_two_starts_share_no_environment() -> None:
    made = recipe(env={"A": "1"})
    first, second = (made.order(1, "mark", None, None) for _ in range(2))
    assert isinstance(first.env, dict)
    first.env["B"] = "2"
    assert "B" not in second.env
    assert "B" not in made.order(1, "mark", None, None).env


def test_t19_files_of_variables_are_read_at_every_start(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("A=1\nB='2 2'\nC=3\n")
    made = recipe(env_file=f"{first} -{second}", env={"C": "section"})

    def now() -> dict[str, str]:
        found = dict(made.order(1, "mark", None, None).env)
        del found["CIRCUS_WORKER"]
        return found

    assert now() == {"A": "1", "B": "2 2", "C": "3"}
    first.write_text("B=changed\n")
    assert now() == {"B": "changed", "C": "section"}
    second.write_text("B=later\n")
    assert now() == {"B": "later", "C": "section"}
    second.unlink()
    first.write_text("B=\n")
    assert now() == {"B": "", "C": "section"}
    first.write_text("nonsense\n")
    with pytest.raises(SpawnError, match=r"env_file '.*/first': line 1: 'nonsense' is not"):
        now()
    first.write_bytes(b"A=1\nB=\xff\n")
    with pytest.raises(SpawnError, match=r"line 2: byte 0xff is not UTF-8 text"):
        now()
    first.unlink()
    with pytest.raises(SpawnError, match="no such file"):
        now()
    for place in (first, second):
        place.mkdir()
        with pytest.raises(SpawnError, match=r"cannot read env_file '.*': Is a directory"):
            now()


def test_a_variable_of_a_file_is_one_for_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("PORT=1\n")
    made = recipe(cmd="a $(circus.env.port)", env_file=str(file))
    assert made.order(1, "mark", None, None).argv == ("a", "1")
    file.write_text("PORT=2\n")
    assert made.order(1, "mark", None, None).argv == ("a", "2")


def test_a_virtual_environment_comes_first(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.99" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "linked.pth").write_text(f"{tmp_path}\n\n/nowhere/at/all\nimport x\n")
    found = env(
        copy_env=True,
        virtualenv=str(tmp_path),
        virtualenv_py_ver="3.99",
        env={"PATH": "/bin", "PYTHONPATH": "/mine"},
    )
    assert found["PATH"] == f"{tmp_path}/bin:/bin"
    assert found["PYTHONPATH"] == f"{tmp_path}:/mine:{packages}"
    with pytest.raises(SpawnError, match="cannot use virtualenv"):
        env(copy_env=True, virtualenv=str(tmp_path), virtualenv_py_ver="3.98")


def test_a_thousand_orders_cost_little() -> None:
    """Far below what a thousand starts take; building everything anew takes many times as long."""
    made = recipe(cmd="sleep 3600", copy_env=True, rlimit_nofile=100)
    began = time.process_time()
    for wid in range(1000):
        made.order(wid, "mark", None, None)
    assert time.process_time() - began < 0.2


# -- what this machine has --------------------------------------------------------------


def told(**options: Any) -> list[str]:
    config = watcher_from_mapping("w", {"cmd": "sh", **options})
    return [str(one) for one in survey([config], lambda section, key: "")]


def test_a_good_watcher_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert told(working_dir="/tmp", uid="root", gid=0, supplementary_groups="root") == []
    assert told(cmd=str(program)) == []
    assert told(cmd="bin/program", working_dir=str(tmp_path)) == []
    assert told(cmd="program", env={"PATH": f"{tmp_path}/bin"}) == []
    assert told(cmd="$(circus.env.where)/program x", env={"WHERE": f"{tmp_path}/bin"}) == []
    assert told(cmd="no matter what", shell=True) == []
    assert told(cmd="$(circus.env.nobody_knows)/program") == []  # that is told by itself
    file = tmp_path / "env"
    file.write_text(f"PATH={tmp_path}/bin\n")
    assert told(cmd="program", env_file=str(file)) == []
    (tmp_path / "lib" / "python3.99" / "site-packages").mkdir(parents=True)
    venv = {"virtualenv": str(tmp_path), "virtualenv_py_ver": "3.99", "copy_env": True}
    assert told(cmd="program", **venv) == []


def test_t46_a_user_without_groups_is_told() -> None:
    assert told(uid=4100000, gid=4100000, supplementary_groups=[]) == []
    (one,) = told(uid=4100000, gid=4100000)
    assert "not in the user database, so its groups are unknown" in one
    with pytest.raises(SpawnError, match="not in the user database"):
        recipe(uid=4100000, gid=4100000)


@needs_root
def test_t47_group_zero_and_both_limits_are_ordered() -> None:
    found = order(uid="nobody", gid=0, rlimit_nofile="10:20", rlimit_core="unlimited")
    assert found.gid == 0
    assert [(soft, hard) for _, soft, hard in found.limits] == [(10, 20), (None, None)]


def test_t48_a_limit_above_what_there_is_is_told() -> None:
    most = int(Path("/proc/sys/fs/nr_open").read_text())
    (one,) = told(rlimit_nofile=most + 1)
    assert one.startswith(f"rlimit_nofile: {most + 1} is more than ")
    assert told(rlimit_nofile="unlimited", rlimit_core="unlimited") == []
    assert told(rlimit_nofile="10:20") == []


@needs_root
def test_t48_who_is_not_root_may_have_no_more_than_now(folder: Path) -> None:
    folder.chmod(0o755)
    file = folder / "x.ini"
    file.write_text(
        "[watcher:w]\ncmd = sleep 1\nrlimit_nofile = 201\nrlimit_core = unlimited\n"
        "[watcher:fine]\ncmd = sleep 1\nrlimit_nofile = 200\nrlimit_core = 0\n"
    )
    check = shlex.join([*as_user(65534, 65534), "circusd", "--check", str(file)])
    ended = subprocess.run(
        ["sh", "-c", f"ulimit -n 200; ulimit -c 0; exec {check}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (78, "")
    assert [line.partition("x.ini:")[2] for line in ended.stderr.splitlines()] == [
        "3: rlimit_nofile: 201 is more than 200, the most that may be had here",
        "4: rlimit_core: no limit is more than 0, the most that may be had here",
    ]


def test_owners_are_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "x.ini"
    file.write_text(
        "[circus]\nendpoint_owner = nosuchuser\n[socket:S]\npath = /x\ngroup = nogrup\n"
    )
    loaded = load(str(file), {})
    assert [
        str(one).removeprefix(f"{file}:") for one in survey_all(loaded.config, loaded.where)
    ] == [
        "2: endpoint_owner: there is no user 'nosuchuser'",
        "5: group: there is no group 'nogrup', did you mean 'nogroup'?",
    ]
    nothing = Config(circus=CircusConfig(), watchers={}, sockets={}, plugins={})
    assert survey_all(nothing, loaded.where) == []
