"""What is written about Circus is true: fresh pages, sound links, names that exist."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from circus.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
GENERATED = re.compile(r"^Written by `python -m ([\w.]+)`", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)")
LOADED = re.compile(
    r"(?:<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=|url\()[\"']?(?:https?:)?//"
)
"""Something from elsewhere that a page of the book would load."""
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can name."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [page for page in PAGES if GENERATED.search(text(page))], ids=name)
def test_a_generated_page_is_fresh(page: Path) -> None:
    found = GENERATED.search(text(page))
    assert found is not None
    writer = importlib.import_module(found[1])
    written = writer.pages() if hasattr(writer, "pages") else {writer.PAGE: writer.page()}
    assert set(written) <= set(PAGES), f"run python -m {found[1]}"
    assert text(page) == written.get(page), f"run python -m {found[1]}"


@pytest.mark.parametrize("page", list(ROOT.glob("*.md")), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    # those of the other pages are followed when the book is made
    for target, anchor in LINK.findall(FENCE.sub("", text(page))):
        if "://" in target:
            continue
        there = (page.parent / target).resolve()
        assert there.exists(), f"{name(page)}: {target}"
        assert not anchor or anchor in anchors(there), f"{name(page)}: {target}#{anchor}"


def test_the_book_is_made_without_a_warning(tmp_path: Path) -> None:
    # no page without a place in it, and no link that leads nowhere
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "--keep-going", "docs", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    for file in tmp_path.rglob("*.*"):
        if file.suffix in (".html", ".css", ".js"):
            assert not LOADED.search(file.read_text(encoding="utf-8")), file


def test_the_readme_leads_to_every_page() -> None:
    found = [ROOT / "README.md"]
    for page in found:
        for target, _ in LINK.findall(FENCE.sub("", text(page))):
            there = (page.parent / target).resolve()
            if there.suffix == ".md" and there not in found:
                found.append(there)  # grows while we go
    notes = ROOT / "docs" / "changes"
    assert {name(page) for page in PAGES if notes not in page.parents} == set(map(name, found))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_merge_is_left_half_way(page: Path) -> None:
    assert not re.search(r"^[<>]{7} ", text(page), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:circus|tests|docs|examples|benchmarks)/[\w./*-]*)`", text(page)):
        assert list(ROOT.glob(path.rstrip("/"))), f"{name(page)}: {path}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_verbs_that_are_named_exist(page: Path) -> None:
    verbs = {command.verb for command in COMMANDS} | {"help"}
    ours = re.sub(r"circusctl --commands .*", "", code(page))
    for verb in re.findall(r"circusctl(?: --[\w-]+(?:=\S+)?)* ([a-z][\w-]*)(?![\w.-])", ours):
        assert verb in verbs, f"{name(page)}: circusctl {verb}"


def code(page: Path) -> str:
    """What is set as code in a page."""
    whole = text(page)
    blocks = FENCE.findall(whole) + re.findall(r"^    .+$", whole, re.MULTILINE)
    return "\n".join(blocks + re.findall(r"`[^`\n]+`", FENCE.sub("", whole)))


def test_each_word_of_the_glossary_is_used() -> None:
    glossary = ROOT / "docs" / "glossary.md"
    words = re.findall(r"^- ((?:\*\*.+?\*\*(?:, )?)+)", text(glossary), re.MULTILINE)
    found = [word for line in words for word in re.findall(r"\*\*(.+?)\*\*", line)]
    assert len(found) == len(set(found)) > 40
    notes = ROOT / "docs" / "changes"
    pages = [page for page in PAGES if page != glossary and notes not in page.parents]
    said = "\n".join(map(text, pages)).lower()
    assert [word for word in found if word.strip("`") not in said] == []


def test_every_flag_of_circusd_is_explained() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    flags = set(re.findall(r"--[a-z][a-z-]+", ended.stdout)) - {"--help", "--version"}
    explained = set(re.findall(r"`(--[a-z][a-z-]+)", text(ROOT / "docs" / "running.md")))
    assert flags == explained


def test_each_change_has_a_note_that_says_something() -> None:
    notes = list((ROOT / "docs" / "changes").iterdir())
    assert notes
    for note in notes:
        assert note.suffix == ".md"
        assert len(text(note).split()) > 10, name(note)
