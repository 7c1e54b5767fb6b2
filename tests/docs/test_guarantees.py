"""Each sentence of docs/guarantees.md names tests that there are, and every defect has one."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.proof import defects, guarantees, last_run
from tests.proof.results import ROOT, Ended, Part, Recorder, read

if TYPE_CHECKING:
    from pathlib import Path

GUARANTEES = guarantees.guarantees()
PASSED = Ended("passed", "2026-01-01 10:00", "")


def named() -> list[str]:
    return sorted({test for one in GUARANTEES for test in one.tests})


def test_sentences_are_numbered_and_each_names_one_to_three_tests() -> None:
    assert [one.number for one in GUARANTEES] == list(range(1, len(GUARANTEES) + 1))
    text = guarantees.PAGE.read_text(encoding="utf-8")
    assert len(GUARANTEES) == text.count(".**") == len(re.findall(r"^\d+\. ", text, re.MULTILINE))
    for one in GUARANTEES:
        assert one.sentence.endswith("."), one
        assert 1 <= len(one.tests) <= 3, one


def test_each_named_test_is_there_with_at_least_one_case() -> None:
    files = sorted({test.partition("::")[0] for test in named()})
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    ).stdout.splitlines()
    # a test without cases is there once, with this in the place of its case
    cases = {line.partition("[")[0] for line in listed if "[NOTSET" not in line}
    assert set(named()) - cases == set()


def test_none_of_them_is_skipped_whatever_the_machine() -> None:
    """`only_if` skips on a laptop alone; what was skipped in a run is found after it."""
    for file in {test.partition("::")[0] for test in named()}:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not re.search(r"mark\.(skip|xfail)|pytest\.(skip|importorskip)", source), file


def test_each_belongs_to_a_part_that_make_test_runs() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    *before, last = tox["tox"]["env_list"].split(", ")
    assert last == "guarantees"
    assert {guarantees.part_of(test) for test in named()} <= set(before)


def test_the_page_of_the_last_run_has_the_same_sentences() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (.+?) \| [^|]+ \|$",
        last_run.PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    wanted = [(str(one.number), one.sentence) for one in GUARANTEES]
    assert rows == wanted, f"run python -m {last_run.__name__}"


def test_every_defect_has_a_test_and_every_number_is_one() -> None:
    found = defects.tests()
    assert sorted(found) == sorted(defects.DEFECTS) == list(range(1, 61))


@pytest.mark.parametrize(
    ("cases", "commit", "result"),
    [
        ({"": PASSED}, "now", "passed"),
        ({"[a]": PASSED, "[b]": PASSED}, "now", "passed"),
        ({"[a]": PASSED, "[b]": Ended("failed", "", "")}, "now", "failed"),
        ({"[a]": PASSED, "[b]": Ended("skipped", "", "no root")}, "now", "skipped: no root"),
        ({"": PASSED}, "before", "passed at before, which is another commit"),
        ({"_too": PASSED}, "now", "not run"),
        ({}, "now", "not run"),
    ],
)
def test_only_all_cases_of_this_commit_show_that_a_sentence_holds(
    cases: dict[str, Ended], commit: str, result: str
) -> None:
    test = "tests/daemon/test_x.py::test_y"
    run = {"daemon": Part(commit, tests={test + case: one for case, one in cases.items()})}
    assert guarantees.shown(test, run, "now").result == result
    assert guarantees.shown("tests/web/test_x.py::test_y", run, "now").result == "not run"


def stage(test: str, when: str, outcome: str, why: object = None) -> pytest.TestReport:
    """What pytest reports of a stage of a test."""
    return pytest.TestReport(test, ("", 0, ""), {}, outcome, why, when)  # type: ignore[arg-type]  # words


def test_a_part_keeps_the_worst_of_each_test_and_what_it_knew(tmp_path: Path) -> None:
    one, two, three = (f"tests/unit/test_x.py::test_{name}" for name in ("one", "two", "three"))
    recorder = Recorder("unit", whole=True, folder=tmp_path)
    skipped = ("file", 1, "Skipped: no root")
    for report in (
        stage(one, "setup", "passed"),
        stage(one, "call", "passed"),
        stage(one, "teardown", "failed"),
        stage(two, "setup", "skipped", skipped),
        stage(three, "setup", "passed"),
        stage("tests/daemon/test_x.py::test_one", "call", "passed"),
    ):
        recorder.pytest_runtest_logreport(report)
    recorder.pytest_sessionfinish()
    part = read(tmp_path / "unit.json")
    assert {name: (ended.word, ended.why) for name, ended in part.tests.items()} == {
        one: ("failed", ""),
        two: ("skipped", "no root"),
    }
    again = Recorder("unit", whole=False, folder=tmp_path)
    again.pytest_runtest_logreport(stage(one, "call", "passed"))
    again.pytest_sessionfinish()
    part = read(tmp_path / "unit.json")
    assert part.whole
    assert [ended.word for ended in part.tests.values()] == ["passed", "skipped"]
    Recorder("unit", whole=True, folder=tmp_path)
    assert not (tmp_path / "unit.json").exists()  # nothing is known while all is run again
