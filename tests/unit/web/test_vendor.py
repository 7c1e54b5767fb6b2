"""What of others is part of the console is as they published it, and is said whose it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import circus.web

VENDOR = Path(circus.web.__file__).parent / "static" / "vendor"


def test_files_of_others_are_as_they_were_published() -> None:
    lines = (VENDOR / "SOURCES").read_text(encoding="utf-8").splitlines()
    listed = {name: sum_ for sum_, name in (one.split() for one in lines if one[0] != "#")}
    found = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in VENDOR.iterdir()
        if one.name != "SOURCES"
    }
    assert found == listed


def test_the_licence_is_there_and_the_version_is_told() -> None:
    assert "Permission is hereby granted" in (VENDOR / "uPlot.LICENSE").read_text(encoding="utf-8")
    script = (VENDOR / "uPlot.iife.min.js").read_text(encoding="utf-8")
    assert "v1.6.32" in script[:500]
    assert "uplot 1.6.32, MIT" in (VENDOR / "SOURCES").read_text(encoding="utf-8")
