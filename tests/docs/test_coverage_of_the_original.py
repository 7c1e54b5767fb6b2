"""docs/coverage-of-the-original.md has all that the original has, and what it names is there.

The original itself is not in this repository; where it lies beside the checkout it is compared.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from circus import get_arbiter
from circus.arbiter import Arbiter
from circus.plugins import CircusPlugin
from circus.process import Process
from circus.watcher import Watcher

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "coverage-of-the-original.md").read_text(encoding="utf-8")
ORIGINAL = ROOT.parent / "shared" / "seed.txt"
SAMPLES = ROOT / "tests" / "compat" / "ini"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in re.findall(r"^\|.+\|$", PAGE, re.MULTILINE)
    if not line.startswith("|---")
]
NAMES = {row[0].strip("`") for row in ROWS}
CHAPTERS = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
CLASSES = (Process, Watcher, Arbiter, CircusPlugin)
OF_INSTANCES = {"pid", "stdout", "stderr"}

only_with_the_original = pytest.mark.skipif(
    not ORIGINAL.exists(), reason="the original is not in this repository"
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_leads_somewhere(row: list[str]) -> None:
    assert len(row) == 3, row
    assert row[1], row[0]


def test_each_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE))
    assert len(named) > 80
    missing = [f"{file}::{name}" for file, name in named if not is_there(file, name)]
    assert sorted(missing) == []


def is_there(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")


@only_with_the_original
def test_every_chapter_and_section_has_a_row() -> None:
    text = ORIGINAL.read_text(encoding="utf-8")
    contents = text.partition("More documentation\n")[2].partition("Contributions and Feedback")[0]
    titles = set(re.findall(r"^\t(\S.+)$", contents, re.MULTILINE))
    assert len(titles) > 60
    assert titles - NAMES - CHAPTERS == set()


@only_with_the_original
@pytest.mark.parametrize(
    ("begin", "end", "pattern", "least"),
    [
        ("\n Configuration\n", "\n Plugins\n", r"^\t([\w.*]+|anything else)$", 45),
        ("\n Plugins\n", "\n Hooks\n", r"^\t(\w+)$", 12),
        ("\n Hooks\n", "\n Command-line tools\n", r"^\t(\w+):", 6),
        ("\n Commands\n", "\n The Web Console\n", r"^\t(\w+): ", 22),
        ("\n The Web Console\n", "Note", r"^\t(\w.+)$", 4),
        (
            "\n Circus Library\n",
            "\n Deployment\n",
            r"^\t?\n(?:class )?([\w.]+)(?:\(.*\))?\n\n\t",
            35,
        ),
        ("\n The Plugin System\n", "\n Security\n", r"^\t?\n(?:class )?([\w.]+)\(.*\)\n\n\t", 6),
    ],
)
def test_every_option_command_and_method_has_a_row(
    begin: str, end: str, pattern: str, least: int
) -> None:
    chapter = ORIGINAL.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    found = {name.rpartition(".")[2] if "circus." in name else name
             for name in re.findall(pattern, chapter, re.MULTILINE)}  # fmt: skip
    names = NAMES | {"get_arbiter"}
    assert len(re.findall(pattern, chapter, re.MULTILINE)) >= least
    assert found - names == set()


def test_each_sample_that_is_kept_has_a_row() -> None:
    kept = {path.name for path in SAMPLES.iterdir()}
    assert len(kept) > 20
    assert set(re.findall(r"`tests/compat/ini/([\w.-]+)`", PAGE)) == kept


@only_with_the_original
@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: str(path.name))
def test_a_sample_stands_in_the_original(path: Path) -> None:
    printed = set(map(str.strip, ORIGINAL.read_text(encoding="utf-8").splitlines()))
    lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
    assert [line for line in lines if line not in printed] == []


def test_the_library_takes_what_the_original_says() -> None:
    watcher = Watcher(
        "w", "sleep 1", args=None, numprocesses=1, warmup_delay=0.0, working_dir=None,
        shell=False, uid=None, max_retry=5, gid=None, send_hup=False, env=None, stopped=True,
        graceful_timeout=30.0, prereload_fn=None, rlimits=None, executable=None,
        stdout_stream=None, stderr_stream=None, stream_backend="thread", priority=0,
        singleton=False, use_sockets=False, copy_env=False, copy_path=False, max_age=0,
        max_age_variance=30, hooks=None, respawn=True, an_option_of_a_plugin="1",
    )  # fmt: skip
    Arbiter(
        [watcher], "ipc:///run/circus/a", "ipc:///run/circus/b", check_delay=1.0,
        prereload_fn=None, context=None, loop=None, stats_endpoint=None, plugins=None,
        sockets=None, warmup_delay=0, httpd=False, httpd_host="localhost", httpd_port=8080,
        debug=False, stream_backend="thread", ssh_server=None, proc_name="circusd",
    )  # fmt: skip
    get_arbiter(
        [], controller=None, pubsub_endpoint=None, stats_endpoint=None, env=None, name=None,
        context=None, background=False, stream_backend="thread", plugins=None, debug=False,
        proc_name="circusd",
    )  # fmt: skip
    taken = set(inspect.signature(Process).parameters)
    assert taken >= {
        "wid", "cmd", "args", "working_dir", "shell", "uid", "gid", "env", "rlimits",
        "executable", "use_fds", "watcher", "spawn",
    }  # fmt: skip


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: str(one.__name__))
def test_each_method_of_a_class_is_there(one: type) -> None:
    _, _, table = PAGE.partition(f"### {one.__module__.removesuffix('.base')}.{one.__name__}\n")
    rows = re.findall(r"^\| `(\w+)` \|", table.partition("\n#")[0], re.MULTILINE)
    assert rows[0] == one.__name__
    assert [name for name in rows[1:] if not hasattr(one, name)] == [
        name for name in rows[1:] if name in OF_INSTANCES
    ]


def test_the_licence_is_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
