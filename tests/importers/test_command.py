"""`circusctl import`: where the result goes, how it ends, and what is said of what is no source."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from circus.circusctl import main
from circus.commands.importing import SOURCES
from circus.ctl.complete import Line, offers
from circus.ctl.importing import write
from circus.exc import CircusError
from circus.importers.convert import IMPORTERS
from tests.support import needs_root

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "[program:web]\ncommand=/bin/web\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
LOSING = f"{GOOD}serverurl=AUTO\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "web.conf"
    file.write_text(GOOD)
    return file


def test_the_sources_are_offered_by_the_tab_key() -> None:
    assert offers(Line(["import"], "s")) == ["supervisor", "systemd"]
    assert offers(Line(["import", "systemd"], "")) == []  # the shell has files for that


def test_both_sides_know_the_same_sources() -> None:
    assert set(SOURCES) == set(IMPORTERS)


def test_the_configuration_is_printed_and_the_report_told(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "supervisor", "web.conf"]) == 0
    out, err = capsys.readouterr()
    assert "[watcher:web]\ncmd = /bin/web\n" in out
    assert err.splitlines()[0] == "web.conf:1: [program:web] -> kept: [watcher:web]"
    assert err.splitlines()[-1] == "4 lines: 4 kept, 0 changed, 0 lost, 0 to decide"
    source.write_text(LOSING)
    assert main(["import", "supervisor", "web.conf"]) == 4
    out, err = capsys.readouterr()
    assert "# web.conf:5: serverurl=AUTO -> lost: SUPERVISOR_SERVER_URL is not set" in out
    assert "[watcher:web]" in out


def test_json_has_both(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(LOSING)
    assert main(["--json", "import", "supervisor", "web.conf", "--output", "new.ini"]) == 4
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["output"] == "new.ini"
    assert found["configuration"] == (source.parent / "new.ini").read_text()
    assert found["summary"] == {"kept": 4, "changed": 0, "lost": 1, "decide": 0}
    assert found["report"][1] == {
        "file": "web.conf", "line": 2, "last_line": 2, "written": "command=/bin/web",
        "fate": "kept", "became": "cmd = /bin/web", "todo": "",
    }  # fmt: skip


def test_nothing_is_overwritten_unless_it_is_asked_for(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = source.parent / "new.ini"
    words = ["import", "supervisor", "web.conf", "--output", "new.ini"]
    assert main(words) == 0
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    first = new.read_text()
    new.write_text("mine")
    new.chmod(0o644)
    capsys.readouterr()
    assert main(words) == 1
    assert capsys.readouterr().err == "cannot write 'new.ini': it exists (--force overwrites it)\n"
    assert new.read_text() == "mine"
    assert main([*words, "--force"]) == 0
    assert new.read_text() == first
    assert stat.S_IMODE(new.stat().st_mode) == 0o644
    assert sorted(os.listdir(source.parent)) == ["new.ini", "web.conf"]


@needs_root
def test_whose_the_file_was_it_is_when_it_is_overwritten(source: Path) -> None:
    new = source.parent / "new.ini"
    new.write_text("mine")
    os.chown(new, 0, 65534)
    new.chmod(0o640)
    assert main(["import", "supervisor", "web.conf", "--output", "new.ini", "--force"]) == 0
    found = new.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 65534, 0o640)
    assert "[watcher:web]" in new.read_text()


def test_a_file_that_came_meanwhile_stays_as_it_is(source: Path) -> None:
    new = source.parent / "new.ini"
    write(str(new), "mine", force=True)
    with pytest.raises(CircusError, match=r"new\.ini': it exists \(--force overwrites it\)"):
        write(str(new), "theirs", force=False)
    assert new.read_text() == "mine"
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert sorted(os.listdir(source.parent)) == ["new.ini", "web.conf"]


def test_a_link_leads_to_the_file_that_is_overwritten(source: Path) -> None:
    target = source.parent / "target.ini"
    target.write_text("")
    (source.parent / "new.ini").symlink_to("target.ini")
    words = ["import", "supervisor", "web.conf", "--output", "new.ini"]
    assert main(words) == 1
    assert main([*words, "--force"]) == 0
    assert (source.parent / "new.ini").is_symlink()
    assert "[watcher:web]" in target.read_text()


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing", None, r"cannot read 'missing': No such file or directory"),
        ("folder", None, r"cannot read 'folder': Is a directory"),
        ("binary", b"\x7fELF\x02\xe9", r"binary:1: byte 0xe9 is not UTF-8 text.*"),
        ("nul", b"[a]\nb=\0\n", r"nul:2: a NUL byte is no text.*"),
        ("empty", b"", r"empty: this is no .*"),
        ("html", b"<html>\n<body>x</body>\n", r"html(:\d+)?: .*"),
        ("long", b"#" * (5 << 20), r"cannot read 'long': it is longer than any configuration"),
    ],
)
def test_what_is_no_source_is_one_line(
    source: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str,
    content: bytes | None, said: str,
) -> None:  # fmt: skip
    if name == "folder":
        (source.parent / name).mkdir()
    elif content is not None:
        (source.parent / name).write_bytes(content)
    assert main(["import", kind, name, "--output", "new.ini"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"{said}\n", err), err
    assert not (source.parent / "new.ini").exists()


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("systemd", "[Unit]\nAfter=x\n", ": this is no service that can be run, it has no "
         "ExecStart="),
        ("systemd", "[Service]\n[program:a]\n", ":2: [program:a] is not of systemd"),
        ("supervisor", "[Service]\n", ":1: [Service] is not for Supervisor; try circusctl import "
         "systemd"),
        ("supervisor", "[watcher:a]\n", ":1: [watcher:a] is not for Supervisor; try circusctl "
         "import circus"),
        ("supervisor", "[program:a]\ncommand\n", ":2: 'command' is neither a [section] nor option "
         "= value"),
    ],
)  # fmt: skip
def test_what_the_source_itself_would_not_take_is_told(
    source: Path, capsys: pytest.CaptureFixture[str], kind: str, content: str, said: str
) -> None:
    source.write_text(content)
    assert main(["import", kind, "web.conf"]) == 1
    assert capsys.readouterr() == ("", f"web.conf{said}\n")


LONG = "x" * (128 << 10)
LONG_LINES = "\n  x" * (64 << 10)


@pytest.mark.parametrize(
    ("kind", "content", "line"),
    [
        ("supervisor", f"[program:a]\ncommand={LONG}", 2),
        ("supervisor", f"[program:a]\ncommand={LONG_LINES}", 2),
        ("procfile", f"web: {LONG}", 1),
        ("systemd", f"[Service]\nExecStart={LONG}", 2),
        ("circus", f"[watcher:a]\ncmd = {LONG}", 2),
        ("circus", f"[watcher:a]\n\ncmd ={LONG_LINES}", 3),
    ],
    ids=lambda value: value if len(str(value)) < 20 else "",
)
def test_a_value_that_no_program_could_be_given_is_refused(
    source: Path, capsys: pytest.CaptureFixture[str], kind: str, content: str, line: int
) -> None:
    source.write_text(content)
    main(["import", kind, "web.conf"])
    assert capsys.readouterr().out.count("x") >= 64 << 10
    source.write_text(f"{content}x\n")
    assert main(["import", kind, "web.conf"]) == 1
    said = f"web.conf:{line}: a value has at most 131072 characters, this one 131073\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/dev/null"])
def test_a_device_or_a_pipe_is_not_waited_for(
    source: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    os.mkfifo(source.parent / "pipe")
    source.write_text(f"[include]\nfiles = {name}\n{GOOD}")
    said = "cannot read '{}': it is a device or a pipe, no file\n"
    for file, shown in ((name, name), ("web.conf", os.path.realpath(name))):
        assert main(["import", "supervisor", file]) == 1
        assert capsys.readouterr().err == said.format(shown)


def test_nothing_but_a_file_is_overwritten(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source.parent / "folder").mkdir()
    os.mkfifo(source.parent / "pipe")
    (source.parent / "link").symlink_to("pipe")
    (source.parent / "loop").symlink_to("loop")
    for name, why in (
        ("folder", "it is no regular file"),
        ("link", "it is no regular file"),
        ("loop", "Too many levels of symbolic links"),
    ):
        assert main(["import", "supervisor", "web.conf", "--force", "--output", name]) == 1
        assert capsys.readouterr().err == f"cannot write '{name}': {why}\n"
    assert (source.parent / "pipe").is_fifo()
    assert sorted(os.listdir(source.parent)) == ["folder", "link", "loop", "pipe", "web.conf"]


@pytest.mark.parametrize("words", [["import", "supervisor", "web.conf"], ["--help"]])
def test_a_full_disk_behind_standard_output_is_one_line(source: Path, words: list[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "circus.circusctl", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=source.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1:] == [
        "cannot write to standard output: No space left on device"
    ]
    assert "Traceback" not in done.stderr


def test_a_terminal_is_shown_nothing_that_it_would_act_on(
    source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_text("[program:web]\ncommand=/bin/\033[2Jweb\n\033[31m=1\n")
    main(["import", "supervisor", "web.conf"])
    out, err = capsys.readouterr()
    assert "cmd = /bin/\033[2Jweb\n" in out
    assert "\033" not in err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["import", "supervisor", "web.conf"])
    out, err = capsys.readouterr()
    assert "cmd = /bin/\\x1b[2Jweb\n" in out
    assert "\033" not in out + err


def test_a_pattern_that_names_half_the_machine(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(1001):
        (source.parent / f"{number}.x").touch()
    source.write_text(f"[include]\nfiles = *.x\n{GOOD}")
    assert main(["import", "supervisor", "web.conf"]) == 1
    assert capsys.readouterr().err == "'*.x' names more than 1000 files: mend the pattern\n"


def test_a_folder_that_is_not_there(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "supervisor", "web.conf", "--output", "no/new.ini"]) == 1
    assert capsys.readouterr().err == "cannot write 'no/new.ini': No such file or directory\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["supervisr", "x"], "source: 'supervisr' is not one of supervisor, procfile, systemd, "
         "circus, did you mean 'supervisor'?"),
        (["supervisor", "x", "--force"], "--force is for --output"),
        (["supervisor", "x", "--instances", "1"], "--instances is for systemd"),
        (["supervisor"], "the following arguments are required: FILE"),
    ],
)  # fmt: skip
def test_wrong_words(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["import", *words]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"circusctl import: error: {said}"


@pytest.mark.parametrize(
    ("name", "instances", "said"),
    [
        ("web.service", "1", "web.service: --instances is for a template, NAME@.service"),
        ("web@.service", ",", "--instances: ',' is not from 1 to 200 instances"),
        ("web@.service", "1-9999", "--instances: '1-9999' is not from 1 to 200 instances"),
    ],
)
def test_instances_that_cannot_be(
    source: Path, capsys: pytest.CaptureFixture[str], name: str, instances: str, said: str
) -> None:
    (source.parent / name).write_text("[Service]\nExecStart=/bin/web %i\n")
    assert main(["import", "systemd", name, "--instances", instances]) == 1
    assert capsys.readouterr().err == f"{said}\n"


def test_an_include_that_leads_in_circles_is_read_once(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_text(f"[include]\nfiles = *.conf web.conf\n{GOOD}")
    assert main(["import", "supervisor", "web.conf"]) == 0
    assert capsys.readouterr().out.count("[watcher:") == 1
