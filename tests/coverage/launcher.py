"""The launcher of a measured run: circus/host/launch.c with gcov in it, and what that counted."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

TREE = Path(__file__).parents[2]
SOURCE = TREE / "circus" / "host" / "launch.c"
PLACE = SOURCE.with_suffix("")
"""What it is for circusd."""
LEAVES = ("execv", "execvp", "_exit")
"""Its ends, before each of which it writes down what it counted."""


@dataclass
class Counted:
    """How often each line ran, and each way out of a line was taken; `functions` of the lines."""

    functions: dict[int, str] = field(default_factory=dict)
    lines: Counter[int] = field(default_factory=Counter)
    branches: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By line and number of the way."""

    def add(self, other: Counted) -> None:
        """What another run counted comes on top; zeros stay."""
        self.functions |= other.functions
        self.lines.update(other.lines)
        self.branches.update(other.branches)


def build(folder: Path, counts: Path) -> Path:
    """Compile it into `folder`; it will count in a file in `counts`. Returns the program."""
    folder.mkdir(parents=True, exist_ok=True)
    counting = ["--coverage", "-fprofile-update=atomic", f"-fprofile-dir={counts}"]
    counting.append("-frandom-seed=launch")  # another build may read what this one counted
    wrap = ",".join(f"--wrap={name}" for name in LEAVES)
    for command in (
        ["gcc", "-O0", *counting, "-c", str(SOURCE), "-o", "launch.o"],
        ["gcc", "-O2", "-c", str(Path(__file__).with_suffix(".c")), "-o", "end.o"],
        ["gcc", "--coverage", f"-Wl,{wrap}", "launch.o", "end.o", "-o", "launch"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return folder / "launch"


def counts(folder: Path, data: Path) -> Path:
    """The file in `data` where a launcher that was built in `folder` counts, for anybody."""
    found = data / str(folder / "launch.gcda").replace("/", "#")
    found.parent.mkdir(exist_ok=True)
    found.parent.chmod(0o777)
    found.touch()
    found.chmod(0o666)
    return found


def read(folder: Path, counted: Path) -> Counted:
    """What such a file says; nothing was counted when it is empty."""
    found = Counted()
    if not counted.stat().st_size:
        return found
    (folder / "launch.gcda").write_bytes(counted.read_bytes())
    command = ["gcov", "--branch-probabilities", "--json-format", "--stdout", "launch.gcda"]
    said = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    for line in json.loads(said)["files"][0]["lines"]:
        number = int(line["line_number"])
        found.functions[number] = line.get("function_name", "")
        found.lines[number] += int(line["count"])
        for way, branch in enumerate(line["branches"]):
            found.branches[number, way] += int(branch["count"])
    return found
