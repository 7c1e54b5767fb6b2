"""What is expected of each case: `python -m tests.importers.golden` writes it anew, to be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from circus.importers.convert import Imported, convert

CASES = Path(__file__).parent / "cases"
HOST = "box.example.org"
EXPECTED = ("expected.ini", "expected.report")


class Case(NamedTuple):
    """A folder with a source, and what is to come of it."""

    source: str
    folder: Path
    instances: str | None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.source}/{self.folder.name}"

    @property
    def file(self) -> str:
        """The main file of the source, within its folder."""
        if self.source != "systemd":
            return {"supervisor": "supervisord.conf", "procfile": "Procfile"}.get(
                self.source, "circus.ini"
            )
        return min(path.name for path in self.folder.glob("*.service"))


def cases() -> list[Case]:
    """All of them; a file `instances` says which instances are asked for."""
    found = []
    for folder in sorted(path for path in CASES.glob("*/*") if path.is_dir()):
        wanted = folder / "instances"
        instances = wanted.read_text().strip() if wanted.exists() else None
        found.append(Case(folder.parent.name, folder, instances))
    return found


def outcome(case: Case) -> Imported:
    """What the importer makes of it now."""
    here = os.getcwd()
    os.chdir(case.folder)
    try:
        return convert(case.source, case.file, case.file, HOST, case.instances)
    finally:
        os.chdir(here)


def expected(case: Case) -> tuple[str, str]:
    """The configuration and the report, which name no folder of this machine."""
    found = outcome(case)
    lines = [*map(str, found.report.in_order()), found.report.summary(), ""]
    folder = str(case.folder)
    return found.text.replace(folder, "/FOLDER"), "\n".join(lines).replace(folder, "/FOLDER")


if __name__ == "__main__":
    for one in cases():
        for name, text in zip(EXPECTED, expected(one), strict=True):
            (one.folder / name).write_text(text, encoding="utf-8")
