"""Broken files, each with everything that `circusd --check` tells about it beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("*.ini"))
KINDS_OF_MISTAKES = (
    "unknown option", "is not a boolean", "is not a whole number", "there is no user",
    "there is no group", "does not exist", "is not found on the path", "is not a directory",
    "nobody declares", "is already defined", "a dependency loop", "is not UTF-8 text",
)  # fmt: skip


def told(file: Path) -> list[str]:
    return file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mistake_is_told_with_its_place(file: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "NO_SUCH_VARIABLE"}
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", file.name],
        cwd=FOLDER,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr.splitlines() == told(file)
    assert (ended.returncode, ended.stdout) == (os.EX_CONFIG, "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_told_is_at_a_line_that_exists(file: Path) -> None:
    for one in told(file):
        place = re.match(r"(?:warning: )?([\w.-]+):(\d+): .", one)
        assert place is not None, one
        lines = (FOLDER / place[1]).read_bytes().split(b"\n")
        assert 1 <= int(place[2]) <= len(lines)


def test_there_are_twenty_of_them() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("mistake", KINDS_OF_MISTAKES)
def test_one_file_has_all_of_them_at_once(mistake: str) -> None:
    assert [one for one in told(FOLDER / "everything.ini") if mistake in one]
