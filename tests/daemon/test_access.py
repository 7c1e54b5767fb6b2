"""Who may do what: six users by every command and every option, as docs/security.md has it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.docs.test_security import COMMANDS_TABLE, OPTIONS_TABLE
from tests.support import as_user, needs_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.daemon.conftest import Start
    from tests.docs.test_security import COMMANDS_TABLE, OPTIONS_TABLE
from tests.support import Daemon

ADMINS, OPERATORS, ONE, NOBODY, OWN = 60001, 60002, 60013, 60099, 60020
Answer = dict[str, Any]


class User(NamedTuple):
    """Somebody, and what they may do on the watcher `one` and on `two`, as a rank; 0 is nothing."""

    uid: int
    gids: tuple[int, ...]
    one: int
    two: int


USERS = {
    "root": User(0, (0,), 3, 3),
    "the admin group": User(60011, (60011, ADMINS), 3, 3),
    "the operate group": User(60012, (60012, OPERATORS), 2, 2),
    "operates on one": User(ONE, (ONE,), 2, 1),
    "nobody": User(NOBODY, (NOBODY,), 0, 0),
}
CONFIG = f"""
[circus]
admin_groups = {ADMINS}
operate_groups = {OPERATORS}
[watcher:one]
cmd = sleep 3600
operate_users = {ONE}
[watcher:two]
cmd = sleep 3600
[env:two]
SECRET = not for everybody
"""


PROPERTIES: dict[str, dict[str, Any]] = {
    "get": {"keys": ["cmd"]},
    "wait": {"names": ["NAME"], "until": "settled", "timeout": 20},
    "signal": {"signum": "CONT"},
    "incr": {"nb": 0},
    "decr": {"nb": 0},
    "scale": {"numprocesses": 1},
    "set": {"options": {"priority": 0}},
    "add": {"cmd": "sleep 3600"},
    "import": {"source": "circus", "file": "/nowhere"},
    "keygen": {"folder": "/nowhere"},
}
WITHOUT_A_NAME = {
    "console-login", "dstats", "events", "listen", "globaloptions", "listsockets", "numwatchers",
    "plan", "reloadconfig", "rollback", "wait",
}  # fmt: skip
FATAL = {"quit", "restart without a name"}
"""Whoever may ask for it ends the daemon."""


def message(thing: str, watcher: str, unique: str) -> Answer:
    """What asks for a command of the table."""
    verb = thing.split()[0]
    properties = dict(PROPERTIES.get(verb, {}))
    if "names" in properties:
        properties["names"] = [watcher]
    if thing in ("add", "rm"):
        properties["name"] = unique
    elif thing not in WITHOUT_A_NAME and thing not in FATAL:
        properties["name"] = watcher
    return {"command": verb, "properties": properties}


def setting(option: str, watcher: str) -> Answer:
    """Asks to set an option to what it cannot be, so that nobody changes anything."""
    key = f"{option}core" if option == "rlimit_" else f"{option}x" if option[-1] == "." else option
    value = None if option[-1] == "." else {"no": ["value"]}
    return {"command": "set", "properties": {"name": watcher, "options": {key: value}}}


def speak(daemon: Daemon, user: User, messages: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """The answers that somebody gets."""
    ended = subprocess.run(
        [*as_user(user.uid, *user.gids), "speak", daemon.endpoint],
        input="".join(f"{json.dumps(one)}\n" for one in messages),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == len(messages)
    return answers


def is_denied(answer: Answer) -> bool:
    return answer["status"] == "error" and str(answer["reason"]).startswith("denied: ")


def judge(
    daemon: Daemon, user: User, rank: int, wanted: dict[str, int], asked: Iterable[Answer]
) -> list[str]:
    """Each is answered or denied just as the table says; gives the denials."""
    denials = []
    for (thing, needed), answer in zip(
        wanted.items(), speak(daemon, user, list(asked)), strict=True
    ):
        assert is_denied(answer) == (rank < needed), (user, thing, answer)
        if is_denied(answer):
            assert answer["errno"] == 3
            denials.append(answer["reason"])
    return denials


def open_to_others(daemon: Daemon) -> Daemon:
    daemon.folder.chmod(0o755)  # as /run/circus
    return daemon


def audit_lines(text: str) -> list[dict[str, str]]:
    """What the record has, line by line."""
    lines = re.findall(r"Request (.*)$", text, re.MULTILINE)
    return [dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line)) for line in lines]


@needs_root
@pytest.mark.parametrize("who", USERS)
def test_every_command_as_documented(circusd: Start, who: str) -> None:
    user = USERS[who]
    daemon = open_to_others(circusd(CONFIG))
    fatal = {} if user.two == 3 else {thing: COMMANDS_TABLE[thing] for thing in FATAL}
    everywhere = {t: rank for t, rank in COMMANDS_TABLE.items() if t in {"add", *WITHOUT_A_NAME}}
    named = {t: rank for t, rank in COMMANDS_TABLE.items() if t not in {*everywhere, *FATAL}}
    denials = []
    for watcher, rank, wanted in (
        ("one", user.one, named),
        ("two", user.two, {**named, **everywhere, **fatal}),
    ):
        asked = [message(thing, watcher, f"new-{watcher}") for thing in wanted]
        foreseen = [
            {"command": "foresee", "properties": {"what": m["command"], "given": m["properties"]}}
            for m in asked
        ]
        denials += judge(daemon, user, rank, wanted, asked)
        denials += judge(daemon, user, rank, wanted, foreseen)
    for denial in denials:
        assert re.search(r" needs (read|operate|admin); you are uid 60\d+, who may ", denial)
        assert re.search(r"; ask an administrator of .* to add you to \w+_users or", denial)
    if user.two == 3:
        assert not is_denied(speak(daemon, user, [message("quit", "", "")])[0])
    else:
        daemon.call("quit")
    assert daemon.process.wait(timeout=30) == 0
    record = [line for line in audit_lines(daemon.text()) if line["uid"] == str(user.uid)]
    in_full = [line for line in record if line["outcome"] == "denied"]
    assert sum(int(line.get("suppressed", 1)) for line in in_full) == len(denials)
    begun = {line["verb"] for line in record if line["outcome"] != "denied"}
    changing = {verb.split()[0] for verb, needed in COMMANDS_TABLE.items() if needed > 1}
    assert begun <= changing | {"console-login"}  # which lets somebody in
    if user.two == 3:
        assert begun >= changing - {"plan", "restart"}


@needs_root
def test_every_option_as_documented(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    table = {**OPTIONS_TABLE, "no_such_option": OPTIONS_TABLE["and keys that are no option"]}
    del table["and keys that are no option"]
    before = [daemon.call("options", name=name)["options"] for name in ("one", "two")]
    for user in USERS.values():
        for watcher, rank in (("one", user.one), ("two", user.two)):
            judge(daemon, user, rank, table, [setting(option, watcher) for option in table])
    assert [daemon.call("options", name=name)["options"] for name in ("one", "two")] == before


@needs_root
def test_the_daemons_own_user_may_do_everything_and_others_cannot_connect(circusd: Start) -> None:
    daemon = open_to_others(circusd("[watcher:one]\ncmd = sleep 3600\n", uid=OWN))
    own = User(OWN, (OWN,), 3, 3)
    wanted = {thing: rank for thing, rank in COMMANDS_TABLE.items() if thing not in FATAL}
    judge(daemon, own, 3, wanted, [message(thing, "one", "new") for thing in wanted])
    judge(daemon, own, 3, OPTIONS_TABLE, [setting(option, "one") for option in OPTIONS_TABLE])
    ended = subprocess.run(
        [*as_user(NOBODY, NOBODY), "circusctl", "--endpoint", daemon.endpoint, "status"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert f"; only {OWN} and root may connect." in ended.stderr
    assert not is_denied(speak(daemon, own, [message("quit", "", "")])[0])
    assert daemon.process.wait(timeout=30) == 0


@needs_root
def test_t49_an_operator_cannot_change_what_runs(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    tries: dict[str, Any] = {
        "uid": 0,
        "cmd": "id",
        "hooks.before_start": "os.system",
        "env.LD_PRELOAD": "/tmp/evil.so",
        "stdout_stream.filename": "/etc/passwd",
    }
    user = USERS["the operate group"]
    asked = [
        {"command": "set", "properties": {"name": "two", "options": {key: value}}}
        for key, value in tries.items()
    ]
    for key, answer in zip(tries, speak(daemon, user, asked), strict=True):
        assert answer["reason"].startswith(f"denied: 'set' of {key} needs admin; you are uid 60012")
        assert answer["reason"].endswith(
            "who may operate; ask an administrator of this circusd to add you to admin_users or "
            "admin_groups in [circus]"
        )
    record = audit_lines(daemon.text())
    assert [line["details"] for line in record] == list(tries)
    assert {line["outcome"] for line in record} == {"denied"}
    assert {line["uid"] for line in record} == {"60012"}
    assert "evil" not in daemon.text()


@needs_root
def test_t50_an_operator_adds_a_watcher_that_runs_as_itself(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    user = USERS["the operate group"]
    words = ["add", "--start", "--waiting", "mine", "sleep", "3600"]
    added = subprocess.run(
        [*as_user(user.uid, *user.gids), "circusctl", "--endpoint", daemon.endpoint, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    (pid,) = daemon.wait_pids("mine", 1)
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^Uid:\s+60012\s+60012\s+60012\s+60012$", status, re.MULTILINE)
    assert re.search(r"^Gid:\s+60012\s+60012\s+60012\s+60012$", status, re.MULTILINE)
    assert re.search(r"^Groups:\s+60002 60012 $", status, re.MULTILINE)


@needs_root
def test_what_an_operator_adds_gets_nothing_of_circusd(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    user = USERS["the operate group"]
    refused: list[dict[str, Any]] = [
        {"options": {"uid": 0}},
        {"options": {"uid": "root"}},
        {"options": {"gid": 0}},
        {"options": {"supplementary_groups": "0"}},
        {"options": {"hooks.before_start": "os.system"}},
        {"options": {"hooks": {"before_start": "os.system"}}},
        {"options": {"stdout_stream.filename": "/tmp/x"}},
        {"options": {"stdout_stream": {"class": "os.system"}}},
        {"options": {"env_file": "/etc/shadow"}},
        {"options": {"copy_env": True}},
        {"options": {"rlimit_nofile": 1000000}},
        {"options": {"nice": -20}},
        {"options": {"sockets": "web"}},
        {"options": {"stdin_socket": "web"}},
        {"options": {"args": ["$(circus.env.PATH)"]}},
        {"cmd": "echo $(circus.env.PATH)"},
        {"cmd": "echo", "args": ["x", "((circus.sockets.web))"]},
    ]
    asked = [
        {"command": "add", "properties": {"name": "mine", "cmd": "id", **one}} for one in refused
    ]
    for one, answer in zip(refused, speak(daemon, user, asked), strict=True):
        assert is_denied(answer), one
    own = {"uid": 60012, "gid": "60012", "supplementary_groups": "60002", "env": {"A": "1"}}
    own |= {"umask": "077", "numprocesses": 0}
    fine = {"name": "mine", "cmd": "id $(circus.wid)", "options": own}
    (answer,) = speak(daemon, user, [{"command": "add", "properties": fine}])
    assert answer["status"] == "ok", answer


@needs_root
def test_nobody_runs_as_itself_where_circusd_is_not_root(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG, uid=OWN))
    (answer,) = speak(daemon, USERS["the operate group"], [message("add", "", "mine")])
    assert re.fullmatch(
        r"denied: 'add' needs admin; what uid 60012 .*adds would run as that user, and this "
        r"circusd is not root: it can run nothing as others",
        answer["reason"],
    )


@needs_root
def test_only_administrators_see_values_of_variables(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    asked = [
        {"command": "options", "properties": {"name": "two"}},
        {"command": "get", "properties": {"name": "two", "keys": ["env"]}},
        {"command": "stats", "properties": {"name": "two"}},
        {"command": "why", "properties": {"name": "two"}},
        {"command": "dstats", "properties": {}},
    ]
    for user in (USERS["the operate group"], USERS["operates on one"]):
        answers = speak(daemon, user, asked)
        assert "not for everybody" not in json.dumps(answers)
        assert [one["options"]["env"] for one in answers[:2]] == [{"SECRET": "***"}] * 2
    answers = speak(daemon, USERS["the admin group"], asked)
    assert answers[1]["options"]["env"] == {"SECRET": "not for everybody"}


@needs_root
def test_several_watchers_take_the_right_to_each(circusd: Start) -> None:
    daemon = open_to_others(circusd(f"{CONFIG}[watcher:ten]\ncmd = sleep 3600\n"))
    asked = [
        {"command": "stop", "properties": {}},
        {"command": "stop", "properties": {"name": "*"}},
        {"command": "stop", "properties": {"name": "*o*"}},
        {"command": "stop", "properties": {"name": "o*"}},
    ]
    *of_all, of_two, fine = speak(daemon, USERS["operates on one"], asked)
    ask = "ask an administrator of this circusd to add you to operate_users or operate_groups in"
    for denied, names, also in (
        *((one, "ten, two", "these watchers") for one in of_all),
        (of_two, "two", "[watcher:two]"),
    ):
        begin = f"denied: 'stop' on {names} needs operate; you are uid 60013, who may read; "
        assert denied["reason"] == f"{begin}{ask} [circus] (or operate_users of {also})"
    assert fine["status"] == "ok"


@needs_root
def test_many_denials_are_counted(circusd: Start) -> None:
    daemon = open_to_others(circusd(CONFIG))
    asked = [{"command": "list"}] * 100
    assert all(map(is_denied, speak(daemon, USERS["nobody"], asked)))
    daemon.call("quit")
    daemon.process.wait(timeout=30)
    record = [one for one in audit_lines(daemon.text()) if one["outcome"] == "denied"]
    assert all(one["uid"] == str(NOBODY) for one in record)
    assert sum(int(one.get("suppressed", 1)) for one in record) == 100
    assert len(record) < 30
