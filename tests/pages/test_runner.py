"""What runs the pages: what it takes for what, what it takes for the same, and how it fails."""

from __future__ import annotations

import pytest

from tests.pages.page import Block, Page, same
from tests.pages.shell import room
from tests.pages.story import Story, Untrue
from tests.support import needs_root


def page(text: str) -> Page:
    return Page("page.md", text)


def fenced(text: str, language: str = "console", rule: str = "") -> str:
    return f"{rule}\n```{language}\n{text}\n```\n"


def test_blocks_have_their_line_their_language_and_what_is_said_before() -> None:
    text = fenced("[circus]", "ini", "<!-- file: a.ini -->") + "- point\n\n  ```text\n  x\n  ```\n"
    assert page(text).blocks() == [
        Block(2, "ini", "[circus]\n", "file", "a.ini"),
        Block(7, "text", "x\n"),
    ]


def test_what_is_said_counts_for_the_next_block_only() -> None:
    text = "<!-- not run: why -->\n\nWords.\n\n```text\n```\n\n<!-- anything -->\n```text\n```\n"
    assert [block.rule for block in page(text).blocks()] == ["", ""]


def test_commands_and_what_they_print() -> None:
    block = Block(
        7, "console", "$ one\n1\n# 2\n$ two \\\n  more\n$ cat <<END\n> three\n>\n> END\n> 4\n"
    )
    one, two, cat = block.commands()
    assert (one.line, one.text, one.prints) == (8, "one", ["1", "# 2"])
    assert (two.line, two.text, two.prints) == (11, "two \\\n  more", [])
    assert (cat.line, cat.text, cat.prints) == (13, "cat <<END\nthree\n\nEND\n4", [])


def test_root_has_another_prompt() -> None:
    block = Block(1, "console", "# one\n$ 1\n# two\n")
    assert [command.text for command in block.commands()] == ["one", "two"]


@pytest.mark.parametrize(
    ("block", "mistake"),
    [
        (Block(1, "", "x"), "a block without a language"),
        (Block(1, "perl", "x"), "nobody knows what to do with perl"),
        (Block(1, "console", "x"), "begins with"),
        (Block(1, "console", "$ a\n$ b", "background"), "one command"),
        (Block(1, "perl", "x", "not run"), "why"),
        (Block(1, "perl", "x", "shown by", "tests/pages/test_runner.py::test_no"), "no test"),
        (Block(1, "perl", "x", "shown by", "tests/none.py::test_no"), "no test"),
    ],
)
def test_a_block_that_nobody_can_run_is_a_mistake(block: Block, mistake: str) -> None:
    assert mistake in (block.mistake() or "")


@pytest.mark.parametrize(
    "block",
    [
        Block(1, "console", "$ a\n"),
        Block(1, "perl", "x", "not run", "nobody has it"),
        Block(1, "perl", "x", "file", "/srv/x.pl"),
        Block(1, "perl", "x", "shown by", "tests/pages/test_runner.py::test_what_is_not"),
        Block(1, "console", "$ a\n", "background"),
        Block(1, "text", "x"),
    ],
)  # fmt: skip
def test_other_blocks_are_none(block: Block) -> None:
    assert block.mistake() is None


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a", "a\n"),
        ("a ", "a  \n"),
        ("a", "a"),
        ("pid ...", "pid 12\n"),
        ("... of ...", "1 of 2\n"),
        ("a\n...\nd", "a\nb\nc\nd\n"),
        ("a\n...", "a\n"),
        ("(a|b)*", "(a|b)*\n"),
    ],
)
def test_what_is_the_same(expected: str, printed: str) -> None:
    assert same(expected.splitlines(), printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a", "a\nb\n"),
        ("a\nb", "a\n"),
        ("a...b", "a\nb\n"),
        ("a", ""),
        ("a", "A\n"),
        ("a...", "b\n"),
    ],
)
def test_what_is_not(expected: str, printed: str) -> None:
    assert not same(expected.splitlines(), printed)


def test_where_a_page_wants_to_be_run() -> None:
    assert page("# A\n\n<!-- machine -->\n").machine == "bare"
    assert page("<!-- machine: circus -->\n").machine == "circus"
    assert page("# A\n").machine is None


@needs_root
def test_a_story_goes_on_from_block_to_block() -> None:
    story = (
        fenced("[watcher:a]\ncmd = sleep 1000", "ini", "<!-- file: /etc/circus/circus.ini -->")
        + fenced("[watcher:b]\ncmd = sleep 1000", "ini")
        + fenced("$ circusd /etc/circus/circus.ini\n$ circusctl status\na: active")
        + fenced("$ name=a")
        + fenced("$ circusctl status $name\nactive\n$ circusctl status b; echo $?\n...not found\n3")
        + fenced("print(open('/etc/circus/circus.ini').read())", "python")
        + fenced('{"a": 1}', "json")
        + fenced("$ tail -f /etc/circus/circus.ini\n[watcher:a]", rule="<!-- background -->")
        + fenced("$ kill $!\n$ circusctl quit --waiting\nok")
    )
    with room() as shell:
        Story(page(story), shell).run()


@needs_root
@pytest.mark.parametrize(
    ("story", "told"),
    [
        (fenced("$ false"), "page.md:3: false\nexit status 1"),
        (fenced("$ true\n$ echo a; echo b\na\nc"), "page.md:4: echo a; echo b\n"),
        (fenced("$ echo b\na"), "-a\n+b"),
        (fenced("$ exit 1"), "has ended the shell"),
        (fenced("[watcher:a]\ncmd =", "ini"), ".checked.ini:2: "),
        (fenced("[watcher:a]\ncmd =", "ini", "<!-- file: b.ini -->"), "b.ini:2: "),
        (fenced("raise ValueError(1)", "python"), "ValueError: 1"),
        (fenced("{", "json"), "page.md:2: the JSON\n"),
        (fenced("$ echo b; cat\na", rule="<!-- background -->"), "-a\n+b"),
        (fenced("$ circusd none.ini"), "none.ini"),
    ],
)
def test_what_is_not_true_is_told_with_its_place(story: str, told: str) -> None:
    with room() as shell, pytest.raises(Untrue) as raised:
        Story(page(story), shell).run()
    assert told in str(raised.value)
