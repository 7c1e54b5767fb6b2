"""Whatever the source says: circusd takes what comes of it, and each option is accounted for."""

from __future__ import annotations

import os
import tempfile

from hypothesis import example, given, settings
from hypothesis import strategies as st

from circus.config.load import examine
from circus.exc import CircusError
from circus.importers.convert import convert
from circus.importers.supervisor.options import PROGRAM
from circus.importers.systemd.directives import SERVICE
from circus.importers.systemd.sockets import SOCKET

WORDS = st.sampled_from([
    "true", "false", "unexpected", "0", "1", "5", "-1", "999", "abc", "TERM", "9", "022", "NONE",
    "AUTO", "syslog", "/dev/stdout", "/var/log/x.log", "50MB", "0,2", "www-data", "/srv",
    "%(program_name)s_%(process_num)02d", "/x/%(process_num)d", "%(ENV_HOME)s/bin", "%(here)s",
    'A="1",B=\'2 ; 3\'', 'A="$B"', "unix:///run/%(program_name)s.sock", "tcp://localhost:80",
    "/bin/sh -c 'a && b ; c'", "sleep 60 ; really", "a # b", "%", "$(circus.wid)", "'", "",
    "x" * 200, "é", "[circus]",
])  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
VALUES = WORDS | TEXT | st.lists(WORDS, max_size=3).map("\n  ".join)
KEYS = st.sampled_from([*PROGRAM, "nonsense"])
NAMES = st.sampled_from(["a", "A", "a b", "é", "x]y", "plugin:q", "a,b", "*"]) | TEXT
KINDS = st.sampled_from(["program", "fcgi-program", "group", "eventlistener", "supervisord"])
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=8)
COMMANDS = st.just("sleep 60") | VALUES


def written(sections: list[tuple[str, str, list[tuple[str, str]], str]]) -> str:
    lines = ["[supervisord]", "minfds=1024"]
    for kind, name, pairs, command in sections:
        lines.append(f"[{kind}:{' '.join(name.split())}]" if kind != "supervisord" else f"[{kind}]")
        lines += [f"{key}={value}" for key, value in [("command", command), *pairs]]
    return "\n".join([*lines, ""])


def imported(source: str, name: str, text: str, **beside: str) -> None:
    """Nothing but one clear line goes wrong, and what comes of it is a configuration."""
    with tempfile.TemporaryDirectory() as folder:
        file, made = os.path.join(folder, name), os.path.join(folder, "made.ini")
        with open(file, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        for kind, more in beside.items():
            with open(os.path.join(folder, f"a.{kind}"), "w", encoding="utf-8", newline="") as out:
                out.write(more)
        wrong = ""
        try:
            found = convert(source, file, made, "box", None)
        except CircusError as error:
            found = None
            wrong = str(error)
        if found is None:
            assert "\n" not in wrong
            return
        with open(made, "w", encoding="utf-8", newline="") as out:
            out.write(found.text)
        assert examine(made, {"HOME": "/x", "PATH": "/bin", "X": "1"})[1] == ()
        assert all("\n" not in str(entry) for entry in found.report.entries)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(KINDS, NAMES, PAIRS, COMMANDS), max_size=4).map(written))
def test_supervisor(text: str) -> None:
    imported("supervisor", "supervisord.conf", text)


OURS = st.sampled_from([
    "[circus]", "[watcher:a]", "[watcher:A]", "[socket:s]", "[env:a]", "  [env:a]", "[plugin:p]",
    "[env]", "[odd]", "cmd = sleep 60", "  cmd = sleep 60", "use_papa = True", "service = a",
    "endpoint = tcp://0.0.0.0:5555", "stats_endpoint = tcp://127.0.0.1:5557", "retry_in = x",
    "numproceses = 3", "singleton = True", "numprocesses = 2", "copy_path = True", "stdout_stream",
    "stdout_stream = x", "stdout_stream.refresh_time = 1", "umask = 99", "shell = True", "; c",
    "env = A=1", "cmd = a $WID $(ENV.X)", "   more", "", "path = /run/x", "port = 99999",
    "use = a.b", "name: value", "httpd = yes", "after = nobody", "stdin_socket = t",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(OURS, max_size=14).map("\n".join))
@example("stats_endpoint = tcp://127.0.0.1:5557\n\n  cmd = sleep 60")
def test_circus(text: str) -> None:
    imported("circus", "circus.ini", f"[circus]\n{text}\n")


UNIT_KEYS = st.sampled_from([*SERVICE, "PrivateTmp", "After", "StartLimitBurst", "Nonsense"])
UNIT_WORDS = st.sampled_from([
    "yes", "no", "infinity", "0", "5", "90s", "2min", "1G", "10%", "50%", "always", "on-failure",
    "%i", "%n", "%b", "%", "/bin/x $A ${B} '$$'", "+/bin/y 'a b'", "-@/bin/z z ; q",
    "/bin/kill -HUP $MAINPID", "A=1 'B=2 3'", "A=$B", "A=\"x", "socket", "null", "append:/x y",
    "nobody", "SIGINT", "022", "1:2", "2:1", "-", "~", "$WID", "", "\\", "x \\\n y", "é",
])  # fmt: skip
SECTIONS = st.sampled_from(["Unit", "Service", "Install", "X-Mine", "Socket"])
LINES = st.lists(st.tuples(SECTIONS, UNIT_KEYS, UNIT_WORDS | TEXT), max_size=12)


def unit(lines: list[tuple[str, str, str]]) -> str:
    found = ["[Service]", "ExecStart=/bin/sleep 60"]
    for section, key, value in lines:
        found += [f"[{section}]", f"{key}={value}"]
    return "\n".join([*found, ""])


@settings(max_examples=300, deadline=None)
@given(LINES.map(unit), st.sampled_from(["a.service", "a@.service", "a@b.service", "é.service"]))
@example("[Service]\nExecStart=/bin/a\nSockets=/bin/x b/ ..\nLimitNICE=-\n", "a.service")
def test_systemd(text: str, name: str) -> None:
    imported("systemd", name, text)


COMMAND_LINES = st.lists(
    st.sampled_from(["web: ", "web:", "a_b: ", "# ", "", "release: ", "x"]).flatmap(
        lambda head: (WORDS | TEXT).map(lambda rest: f"{head}{rest}")
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(COMMAND_LINES.map("\n".join))
def test_procfile(text: str) -> None:
    imported("procfile", "Procfile", f"{text}\n")


SOCKET_LINES = st.lists(
    st.tuples(
        st.sampled_from([*SOCKET, "ListenStream", "ListenDatagram", "ListenSequentialPacket", "X"]),
        st.sampled_from([
            "80", "/run/%p", "[::1]:7", "1.2.3.4:5", ":5", "@x", "vsock:1:2", "lo", "yes", "no",
            "0666", "8", "root", "a b", "é", "%i", "%b", "/" + "x" * 120, "99999", "name:x", "",
        ]) | TEXT,
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(SOCKET_LINES)
def test_sockets_of_systemd(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(["[Socket]", *(f"{key}={value}" for key, value in lines), ""])
    imported("systemd", "a.service", "[Service]\nExecStart=/bin/a\n", socket=text)
