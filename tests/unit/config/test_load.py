"""Files to configurations: what the samples mean, and every mistake at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from circus.config.load import Loaded, load
from circus.config.mapping import changed, options_of, watcher_from_mapping
from circus.config.reference import PAGE, page
from circus.config.variables import expand
from circus.exc import ArgumentError, ConfigError

SAMPLES = Path(__file__).parents[2] / "compat" / "ini"
ENVIRON = {"PATH": "/usr/bin", "HOME": "/root", "SECRET": "pa$SWORD ((x)) $(circus.wid)"}


def read(tmp_path: Path, text: str, *, strict: bool = False) -> Loaded:
    file = tmp_path / "x.ini"
    file.write_text(text, encoding="utf-8")
    return load(str(file), ENVIRON, strict=strict)


def problems(tmp_path: Path, text: str | bytes, *, strict: bool = False) -> list[str]:
    """Each as `line: message`."""
    file = tmp_path / "x.ini"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(str(file), ENVIRON, strict=strict)
    return [str(one).removeprefix(f"{file}:") for one in caught.value.problems]


# -- the samples of the documentation ----------------------------------------------


def test_the_big_sample_means_what_it_shows() -> None:
    loaded = load(str(SAMPLES / "seed-big.ini"), ENVIRON)
    one = loaded.config.watchers["myprogram"]
    assert one.env == {"PATH": "/usr/bin:/bin", "CAKE": "lie"}
    assert one.hooks == {"before_start": ("my.hooks.control_redis", False)}
    assert one.stdout_stream["max_bytes"] == "1073741824"
    assert one.stdout_stream["backup_count"] == "5"
    assert (one.numprocesses, one.args) == (5, "-u myprogram.py $(WID) $(ENV.VAR)")
    assert loaded.config.plugins["statsd"].extra["application_name"] == "example"
    assert loaded.config.sockets["web"].port == 8080
    assert [str(one).rpartition(": ")[2] for one in loaded.warnings] == [
        "'/path/to/configs/*.enabled.ini' matches nothing"
    ]


def test_the_environment_sample_combines_in_order() -> None:
    config = load(str(SAMPLES / "seed-env.ini"), ENVIRON).config
    assert config.watchers["worker1"].env == {"PATH": "/usr/bin"}
    assert config.watchers["worker2"].env == {"PATH": "/bin", "CAKE": "lie"}


@pytest.mark.parametrize(
    ("name", "warned"),
    [("seed-first", ["args: $WID is now spelled $(circus.wid)"]), ("seed-webworker", [])],
)
def test_other_samples_load(name: str, warned: list[str]) -> None:
    warnings = load(str(SAMPLES / f"{name}.ini"), ENVIRON).warnings
    assert [one.message for one in warnings] == warned


# -- mistakes -----------------------------------------------------------------------

BROKEN: list[tuple[str, str, list[str]]] = [
    ("no cmd", "[watcher:a]\nargs = x\n", ["1: [watcher:a] has no cmd"]),
    ("empty cmd", "[watcher:a]\ncmd =\n", ["2: cmd: it is empty"]),
    ("not a number", "[watcher:a]\ncmd = x\nnumprocesses = many\n",
     ["3: numprocesses: 'many' is not a whole number"]),
    ("negative", "[watcher:a]\ncmd = x\nnumprocesses = -1\n", ["3: numprocesses: -1 is negative"]),
    ("not a boolean", "[watcher:a]\ncmd = x\nshell = maybe\n",
     ["3: shell: 'maybe' is not a boolean (use true or false)"]),
    ("no signal", "[watcher:a]\ncmd = x\nstop_signal = SIGNOPE\n",
     ["3: stop_signal: 'SIGNOPE' is not a signal (use a name such as TERM, or a number)"]),
    ("not octal", "[watcher:a]\ncmd = x\numask = 9\n",
     ["3: umask: '9' is not an octal number such as 022"]),
    ("limit", "[watcher:a]\ncmd = x\nrlimit_nofile = lots\n",
     ["3: rlimit_nofile: 'lots' is not a limit (a number, unlimited, or soft:hard)"]),
    ("limits crossed", "[watcher:a]\ncmd = x\nrlimit_nofile = 20:10\n",
     ["3: rlimit_nofile: '20:10': the soft limit is above the hard one"]),
    ("quotes", "[watcher:a]\ncmd = x\nargs = 'open\n",
     ["3: args: cannot be split into words: no closing quotation"]),
    ("seconds", "[watcher:a]\ncmd = x\ngraceful_timeout = nan\n",
     ["3: graceful_timeout: 'nan' is not a number"]),
    ("too many seconds", "[watcher:a]\ncmd = x\ngraceful_timeout = 1e999\n",
     ["3: graceful_timeout: '1e999' is not a finite number"]),
    ("bell", "[watcher:a\a]\ncmd = x\n",
     [r"1: the name 'a\x07' of a watcher has characters that cannot be shown"]),
    ("no name", "[watcher:]\ncmd = x\n", ["1: a watcher needs a name"]),
    ("NUL in a variable", "[watcher:a]\ncmd = x\n[env:a]\nA = x\n  y\0\n",
     ["5: byte 0x00 is not UTF-8 text"]),
    ("NUL in a name", "[circus]\ninclude = a\n  b\0\n", ["3: byte 0x00 is not UTF-8 text"]),
    ("twins", "[watcher:a]\ncmd = x\n[watcher:A]\ncmd = y\n",
     ["3: there is already a watcher 'a': names that differ only in upper and lower case are "
      "the same"]),
    ("no socket", "[watcher:a]\ncmd = x $(circus.sockets.wbe)\n[socket:web]\nport = 1\n",
     ["2: cmd: nobody declares [socket:wbe], did you mean 'web'?"]),
    ("no stdin socket", "[watcher:a]\ncmd = x\nstdin_socket = web\n",
     ["3: stdin_socket: nobody declares [socket:web]"]),
    ("twin paths", "[socket:a]\npath = /run/s\n[socket:B]\npath = /run/s\n[socket:c]\n[socket:d]\n",
     ["4: path: socket 'a' has the same"]),
    ("unknown need", "[watcher:a]\ncmd = x\nafter = bee\n[watcher:been]\ncmd = x\n",
     ["3: after: there is no watcher 'bee', did you mean 'been'?"]),
    ("loop", "[watcher:a]\ncmd = x\nafter = b\n[watcher:b]\ncmd = x\nrequires = a\n",
     ["3: after: a dependency loop: a -> b -> a"]),
    ("singleton", "[watcher:a]\ncmd = x\nsingleton = 1\nnumprocesses = 2\n",
     ["4: a singleton cannot have numprocesses above 1"]),
    ("copy_path", "[watcher:a]\ncmd = x\ncopy_path = yes\n",
     ["3: copy_path needs copy_env = True"]),
    ("hook", "[watcher:a]\ncmd = x\nhooks.befor_start = m.f\n",
     ["3: unknown hook 'befor_start', did you mean 'before_start'?"]),
    ("stream", "[watcher:a]\ncmd = x\nstdout_stream.max_bytes = 3\n",
     ["3: stdout_stream needs a class or a filename"]),
    ("plugin", "[plugin:p]\nloop_rate = 1\n", ["1: [plugin:p] has no use"]),
    ("before any section", "cmd = x\n[watcher:a]\ncmd = x\n",
     ["1: 'cmd = x' stands before any section"]),
    ("no separator", "[watcher:a]\ncmd = x\nnonsense\n",
     ["3: 'nonsense' is neither a [section] nor `option = value`"]),
    ("several", "[circus]\nhttpd = perhaps\n[watcher:a]\nnumprocesses = x\nmax_retry = y\n",
     ["2: httpd: 'perhaps' is not a boolean (use true or false)", "3: [watcher:a] has no cmd",
      "4: numprocesses: 'x' is not a whole number", "5: max_retry: 'y' is not a whole number"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [pytest.param(t, e, id=n) for n, t, e in BROKEN])
def test_every_mistake_is_told_at_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(tmp_path, text) == expected


def test_unknown_options_are_a_warning_and_strict_makes_them_an_error(tmp_path: Path) -> None:
    text = "[watcher:a]\ncmd = x\ngraceful_timout = 3\n"
    loaded = read(tmp_path, text)
    assert "did you mean 'graceful_timeout'?" in str(loaded.warnings[0])
    assert loaded.config.watchers["a"].extra == {"graceful_timout": "3"}
    expected = ["3: unknown option 'graceful_timout', did you mean 'graceful_timeout'?"]
    assert problems(tmp_path, text, strict=True) == expected


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("env = A=1", "env is ignored in a file, write [env:a]"),
        ("retry_in = 2", "retry_in: an old spelling of backoff_delay"),
        ("stdout_stream.class = StdoutStream\nclose_child_stdout = yes",
         "close_child_stdout: it has no effect, the output goes to stdout_stream"),
        ("backoff_delay = 90",
         "backoff_delay: no wait is longer than backoff_max, 60 s; raise that too"),
    ],
)  # fmt: skip
def test_what_does_nothing_or_is_old_is_told(tmp_path: Path, lines: str, warned: str) -> None:
    loaded = read(tmp_path, f"[watcher:a]\ncmd = x\n{lines}\n")
    assert [one.message for one in loaded.warnings] == [warned]
    assert not loaded.config.watchers["a"].env


def test_a_new_spelling_goes_before_an_old_one(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[watcher:a]\ncmd = x\nbackoff_delay = 3\nretry_in = 2\n")
    assert loaded.config.watchers["a"].backoff_delay == 3


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the configuration file does not exist"):
        load(str(tmp_path / "none.ini"), ENVIRON)


# -- reading ---------------------------------------------------------------------------


def test_first_value_counts_also_across_files(tmp_path: Path) -> None:
    (tmp_path / "more.d").mkdir()
    (tmp_path / "more.d" / "a.ini").write_text("[circus]\ncheck_delay = 9\nwarmup_delay = 2\n")
    loaded = read(
        tmp_path, "[circus]\ninclude_dir = more.d\ncheck_delay = 3\n[watcher:a]\ncmd = x\ncmd = y\n"
    )
    assert loaded.config.circus.check_delay == 3
    assert loaded.config.circus.warmup_delay == 2
    assert loaded.config.watchers["a"].cmd == "x"


def test_a_file_that_is_included_more_than_once_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text("[circus]\ncheck_delay = soon\n")
    (tmp_path / "link").symlink_to("a.ini")
    assert problems(tmp_path, "[circus]\ninclude = a.ini *.ini ./a.ini link\n") == [
        f"{tmp_path}/a.ini:2: check_delay: 'soon' is not a number"
    ]


def test_a_directory_to_include_may_be_empty_but_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "empty.d").mkdir()
    loaded = read(tmp_path, "[circus]\ninclude_dir = empty.d nowhere.d\n")
    assert [str(one).rpartition(": ")[2] for one in loaded.warnings] == [
        "'nowhere.d' matches nothing"
    ]


def test_semicolons_and_continuations(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[watcher:a]\ncmd = a;b ; c\nargs = one ; comment\n  two\n")
    assert loaded.config.watchers["a"].cmd == "a;b ; c"
    assert loaded.config.watchers["a"].args == "one\ntwo"


def test_t14_names_in_any_spelling(tmp_path: Path) -> None:
    names = ["Web-1", "a.b.c", "größe", "with blank"]
    text = "".join(f"[watcher:{name}]\ncmd = x\n" for name in names)
    config = read(tmp_path, text).config
    assert {one.name for one in config.watchers.values()} == set(names)


@pytest.mark.parametrize(
    "text",
    ["$(circus.wid)", "((circus.wid))", "${circus.wid}", "$WID", "$(WID)", "$(CIRCUS.WID)"],
)
def test_every_spelling_of_a_variable(text: str) -> None:
    names = {"wid": "7", "circus.wid": "7"}
    assert expand(f"x {text} y", names) == "x 7 y"
    assert expand("$(circus.nope) $WIDE $(date)", names) == "$(circus.nope) $WIDE $(date)"


# -- at run time -------------------------------------------------------------------------


def test_set_takes_all_or_nothing() -> None:
    config = watcher_from_mapping("w", {"cmd": "x", "rlimit_nofile": 100})
    wanted = changed(config, {"numprocesses": "4", "rlimit_core": "unlimited", "max_retry": -1})
    assert (wanted.numprocesses, wanted.max_retry) == (4, -1)
    assert wanted.rlimits == {"nofile": (100, 100), "core": (None, None)}
    with pytest.raises(ArgumentError, match=r"unknown key 'numproceses', did you mean"):
        changed(config, {"numproceses": 3})
    with pytest.raises(ArgumentError, match="not a whole number"):
        changed(config, {"numprocesses": "x"})


def test_t47_zero_is_a_user_and_a_group_and_limits_are_two() -> None:
    config = watcher_from_mapping("w", {"cmd": "x", "uid": 0, "gid": "0"})
    assert (config.uid, config.gid) == (0, 0)
    with pytest.raises(
        ArgumentError, match=r"^uid: 4294967295 is not a number that a user or group"
    ):
        changed(config, {"uid": 2**32 - 1})
    for given, expected in [
        ("10:20", (10, 20)),
        ("10:unlimited", (10, None)),
        ("unlimited", (None, None)),
        ("", (None, None)),
        (7, (7, 7)),
    ]:
        assert changed(config, {"rlimit_nofile": given}).rlimits == {"nofile": expected}
    for given in ("20:10", "unlimited:10", "x", "1:2:3", -5, 2**64):
        with pytest.raises(ArgumentError, match="rlimit_nofile: "):
            changed(config, {"rlimit_nofile": given})


def test_t48_a_limit_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    text = "[watcher:a]\ncmd = x\nrlimit_stack = 2:1\nrlimit_nofile = many\nrlimit_nope = 1\n"
    assert [one[0] for one in problems(tmp_path, text)] == ["3", "4", "5"]


def test_t43_values_with_commas_and_equals_survive() -> None:
    config = watcher_from_mapping("w", {"cmd": "x"})
    assert changed(config, {"env": {"A": "x=1,y"}}).env == {"A": "x=1,y"}
    assert changed(config, {"env": "A=1,2,B=c=d"}).env == {"A": "1,2", "B": "c=d"}


def test_options_round_trip() -> None:
    config = watcher_from_mapping(
        "w", {"cmd": "x", "rlimit_nofile": "10:20", "stdout_stream": {"class": "QueueStream"}}
    )
    options = options_of(config)
    assert options["rlimit_nofile"] == "10:20"
    assert options["stdout_stream.class"] == "QueueStream"
    given = {key: value for key, value in options.items() if not key.endswith("_conf")}
    assert watcher_from_mapping("w", given) == config


def test_the_reference_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
