"""Whatever a file holds, it is loaded or told; nothing else comes of it."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from circus.config import envfile, variables
from circus.config.ini import Parsed
from circus.config.load import examine, load
from circus.exc import ConfigError

PIECES = st.sampled_from([
    "[watcher:a]", "[circus]", "[env:a]", "[socket:s]", "[plugin:p]", "[DEFAULT]", "[env]", "[x",
    "cmd = sleep 1", "numprocesses = 3", "A = $PATH $(circus.env.home)", "include = *", "rem x",
    "# x", "; x", "    ", "\t", "=", ":", "\n", "\n\n", "\r\n", "\r", "\0", "\x85", "\u2028", "é",
    "cmd = $(circus.wid) ((circus.env.a)) ${circus.sockets.s} $WID", "after = a,b", "use = x.y",
    "rlimit_nofile = 1:2", "stdout_stream.class = X", "hooks.before_start = a.b", '"', "'", ";",
])  # fmt: skip
FILES = (
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode())
    | st.lists(PIECES, max_size=40).map(lambda parts: "\n".join(parts).encode())
)
ENVIRON = {"PATH": "/bin", "HOME": "/root", "SIGNS": "$(circus.wid) $HOME ((circus.env.signs))"}


@settings(deadline=None, max_examples=300)
@given(FILES)
@example(b"\xff\xfe[\0w\0")
@example(b"[watcher:\xff]\ncmd = x\n")
def test_the_reader_never_raises(data: bytes) -> None:
    parsed = Parsed()
    parsed.read(data, "x.ini")
    parsed.read(data, "y.ini")
    lines = data.count(b"\n") + 1
    for problem in parsed.problems:
        file, line = problem.place
        assert file in ("x.ini", "y.ini")
        assert 1 <= line <= lines
    for section in parsed.sections.values():
        for entry in section.options.values():
            assert 1 <= entry.line <= lines


@settings(deadline=None, max_examples=300)
@given(FILES)
def test_a_file_is_loaded_or_told(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "x.ini")
        file.write_bytes(data)
        loaded, problems = examine(str(file), ENVIRON)
        for problem in (*problems, *loaded.warnings):
            assert re.match(re.escape(str(file)) + r":\d+: .", str(problem)), str(problem)
        if problems == ():
            assert load(str(file), ENVIRON).config == loaded.config


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0")))
def test_files_of_variables_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        for name, value in envfile.parse(text).items():
            assert envfile.NAME.fullmatch(name)
            assert isinstance(value, str)


@settings(deadline=None)
@given(
    st.dictionaries(st.from_regex(envfile.NAME, fullmatch=True), st.text(
        st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))
    ),
    st.booleans(),
)  # fmt: skip
def test_quoted_values_arrive_as_they_are(env: dict[str, str], single: bool) -> None:  # noqa: FBT001 drawn
    def quoted(value: str) -> str:
        if single:
            return "'" + value.replace("'", "'\"'\"'") + "'"
        return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'

    text = "".join(f"{name}={quoted(value)}\n" for name, value in env.items())
    assert envfile.parse(text) == env


FORMS = st.sampled_from(["$(WID)", "$WID", "((circus.wid))", "${circus.wid}", "$(Circus.Wid)"])


@settings(deadline=None)
@given(FORMS, st.text())
@example("$(WID)", "$(WID) $HOME ((circus.wid))")
def test_what_is_put_in_is_not_looked_at_again(form: str, value: str) -> None:
    names = {"wid": value, "circus.wid": value}
    assert variables.expand(f"a {form} b", names) == f"a {value} b"
    named = variables.environment_names({"X": value})
    put = variables.expand_in_environment("$X|$(circus.env.x)|$Y|$x", named, {"X": value})
    assert put == f"{value}|{value}||$x"


@settings(deadline=None)
@given(st.text())
def test_what_nobody_knows_stays_as_it_is(text: str) -> None:
    assert variables.expand(text, {}) == text
