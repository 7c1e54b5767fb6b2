"""Run parts of the tests and count which lines and branches of circus/ they run.

    python -m tests.coverage.measure [PART...]

All parts of tox.ini that are pytest's and run the tree, unless some are named; those count anew,
the others keep what they counted last. Wants root: a part runs in a mount namespace of its own,
where .venv has coverage.py in it, and so has Debian's Python in the machines that it boots; nothing
of that is seen from outside. All is kept in build/coverage. Exit status 1 when a test failed.
"""

from __future__ import annotations

import configparser
import datetime
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tests.coverage import launcher
from tests.proof.results import commit

TREE = Path(__file__).parents[2]
PACKAGE = TREE / "circus"
WORK = TREE / "build" / "coverage"
SITE = WORK / "site"
"""coverage.py, and what has every Python begin with it."""
OVER = WORK / "over"
"""The same where .venv has it."""
DATA = WORK / "data"
"""Where processes leave what they counted, as whoever they run."""
PARTS = WORK / "parts"
"""What each part counted, in one file."""
LAUNCHES = WORK / "launches"
"""What the launcher counted, for each part."""
RUNS = WORK / "runs"
"""When each part was run on what, and which tests failed."""
LAUNCHER = WORK / "launcher"
RESULT = WORK / "coverage.json"
INSTALLED = "/usr/lib/python3/dist-packages/circus"
"""Where the package of a booted machine has it."""
HERE = "/media"
"""What DATA is for those that are measured."""
THERE = "/dev/shm"
"""The same in a machine that is booted: a folder that services have too that are confined."""
SETTINGS = f"""[run]
branch = true
include =
    {PACKAGE}/*
    {INSTALLED}/*
patch = _exit
disable_warnings = no-data-collected, module-not-measured, no-ctracer, no-sysmon

[paths]
circus =
    {PACKAGE}
    {INSTALLED}

[report]
exclude_also =
    if TYPE_CHECKING:
    raise NotImplementedError
    case _:\\n\\s+assert_never\\(
"""
MEASURED = """
mount --make-rprivate /
mount -t overlay -o "ro,lowerdir=$1:$2" overlay "$2"
mount --bind "$3" "$4"
mount --bind "$5" "$6"
shift 6
exec "$@"
"""
"""In a mount namespace: what is to be in .venv; its folder; where to count; what is that for
those who do; the launcher that counts; what is that for them."""
DEBIAN = Path("/usr/bin/python3").resolve().name
"""What the Python of such a machine is called: it has the Debian that this one has."""
NSPAWN = f"""#!/bin/sh
exec /usr/bin/systemd-nspawn --bind={DATA}:{THERE} \\
    --bind-ro={SITE}:/usr/local/lib/{DEBIAN}/dist-packages \\
    --bind-ro={WORK}/units:/usr/local/lib/systemd/system "$@"
"""
KEEP_FILES = "[Service]\nRemoveIPC=no\n"
"""For a service of a machine that would otherwise remove at its end what it left THERE."""


ELSEWHERE = ("oldest", "deb", "install")
"""Parts that run Circus in environments and systems of their own, in which nothing counts."""
UNMEASURED = (
    "tests/unit/commands/test_table.py::test_help_loads_neither_the_engine_nor_zeromq",
    "tests/unit/commands/test_table.py::test_a_question_loads_only_what_it_needs",
    "tests/systemd/test_console.py::test_the_page_has_its_score",
)
"""Tests of what a program loads, as coverage.py does itself, and of how the console's unit is
hardened, which has RemoveIPC=no while it is measured."""


def main(names: list[str]) -> int:
    """Run these parts, or all. Returns the exit status."""
    known = parts()
    if unknown := set(names) - set(known):
        print(f"no part of tox.ini that can be measured: {', '.join(unknown)}", file=sys.stderr)
        return 2
    prepare()
    failed = [test for name in names or known for test in run(name, known[name])]
    summarize()
    for test in failed:
        print(f"failed while it was measured, which is no failure yet: {test}", file=sys.stderr)
    return 1 if failed else 0


def parts() -> dict[str, list[str]]:
    """The parts of tox.ini that can be measured, and what pytest is given."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(TREE / "tox.ini", encoding="utf-8")
    found = {}
    for name in tox["tox"]["env_list"].split(", "):
        program, *arguments = tox[f"testenv:{name}"]["commands"].split()
        if program == "pytest" and name not in ELSEWHERE:
            found[name] = arguments[:-1]  # what may follow is tox' own
    return found


def prepare() -> None:
    """Everything that the namespaces take from outside."""
    for folder in (DATA, PARTS, LAUNCHES, RUNS, WORK / "bin"):
        folder.mkdir(parents=True, exist_ok=True)
    launcher.build(LAUNCHER, Path(HERE, "launcher"))
    (SITE / "a1_coverage.pth").unlink(missing_ok=True)  # its own, which asks the environment
    shutil.copy(Path(__file__).with_name("circus_coverage.py"), SITE)
    (SITE / "circus_coverage.pth").write_text("import circus_coverage\n", encoding="utf-8")
    (SITE / "coverage.ini").write_text(SETTINGS, encoding="utf-8")
    libraries = Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    shutil.copytree(SITE, OVER / libraries, dirs_exist_ok=True)
    unit = WORK / "units" / "circus-console.service.d" / "coverage.conf"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(KEEP_FILES, encoding="utf-8")
    nspawn = WORK / "bin" / "systemd-nspawn"
    nspawn.write_text(NSPAWN, encoding="utf-8")
    nspawn.chmod(0o755)


def run(name: str, arguments: list[str]) -> list[str]:
    """The tests of a part that fail. What it counted takes the place of what it did before."""
    shutil.rmtree(DATA)
    DATA.mkdir()
    DATA.chmod(0o1777)
    (DATA / "count-here").touch()
    launches = launcher.counts(LAUNCHER, DATA / "launcher")
    report = WORK / "junit.xml"
    report.unlink(missing_ok=True)
    path = f"{WORK / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [
        *("unshare", "--mount", "sh", "-ec", MEASURED, "measured"),
        *(str(OVER), sys.prefix, str(DATA), HERE),
        *(str(LAUNCHER / "launch"), str(launcher.PLACE)),
        *(sys.executable, "-m", "pytest", "-o", "timeout=360", f"--junitxml={report}"),
        *(f"--deselect={test}" for test in UNMEASURED),
        *arguments,
    ]
    print(f"== {name}", flush=True)
    began, measured = time.monotonic(), commit()
    subprocess.run(command, cwd=TREE, env={**os.environ, "PATH": path}, check=False)
    counted = DATA / "counted"  # coverage.py wants it to be called as those of the processes are
    coverage("combine", f"--data-file={counted}", "--quiet", str(DATA))
    counted.replace(PARTS / name)
    launches.replace(LAUNCHES / name)
    failed = failures(report)
    about = {"part": name, "commit": measured, "failed": failed, **conditions()}
    about["seconds"] = time.monotonic() - began
    (RUNS / name).write_text(json.dumps(about), encoding="utf-8")
    return failed


def failures(report: Path) -> list[str]:
    """The tests that failed, by pytest's report."""
    cases = ET.parse(report).iter("testcase")  # noqa: S314 we have had it written
    return [
        f"{case.get('classname')}.{case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]


def conditions() -> dict[str, Any]:
    """When, and with what."""
    (coverage,) = SITE.glob("coverage-*.dist-info")
    version = coverage.name.removesuffix(".dist-info").partition("-")[2]
    python = ".".join(map(str, sys.version_info[:3]))
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return {"date": today, "with": f"coverage.py {version}, Python {python} and gcov"}


def summarize() -> None:
    """All parts that were ever measured here in one."""
    counted = [str(part) for part in PARTS.iterdir()]
    coverage("combine", "--keep", "--quiet", f"--data-file={WORK / 'counted'}", *counted)
    coverage("json", "--quiet", f"--data-file={WORK / 'counted'}", "-o", str(RESULT))
    coverage("html", "--quiet", f"--data-file={WORK / 'counted'}", "-d", str(WORK / "html"))


def coverage(verb: str, *arguments: str) -> None:
    """Have coverage.py do something with what was counted."""
    command = [sys.executable, "-m", "coverage", verb, f"--rcfile={SITE / 'coverage.ini'}"]
    environ = {**os.environ, "PYTHONPATH": str(SITE)}
    subprocess.run([*command, *arguments], cwd=TREE, env=environ, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
