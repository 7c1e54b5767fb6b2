"""What a page holds that can be done, and whether what a command printed is what the page says."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).parents[2]
RULE = re.compile(r"<!-- (background|file|not run|shown by)(?:: (.+?))? -->\n")
MACHINE = re.compile(r"<!-- machine(: circus)? -->\n")
LANGUAGES = ("console", "ini", "json", "python")
"""Those that are taken for what they are without a word about it."""


@dataclass
class Command:
    """What is typed at a prompt, which is in this line of the page, and what it prints."""

    line: int
    text: str
    prints: list[str]


@dataclass
class Block:
    """What stands between two fences; `line` is that of the upper one."""

    line: int
    language: str
    text: str
    rule: str = ""
    """What the comment before it says that it is; see RULE."""
    about: str = ""

    def commands(self) -> Iterator[Command]:
        """Those of a `console`, in their order. ValueError when it begins with something else."""
        prompt = self.text[:2]
        if prompt not in ("$ ", "# "):
            raise ValueError("a console begins with '$ ' or '# '")
        command = Command(0, "", [])
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            if command.text.endswith("\\"):
                command.text += "\n" + line.removeprefix("> ")
            elif line.startswith(">") and "<<" in command.text and not command.prints:
                command.text += "\n" + line[2:]
            elif line.startswith(prompt):
                if command.line:
                    yield command
                command = Command(number, line[2:], [])
            else:
                command.prints.append(line)
        yield command

    @property
    def kind(self) -> str:
        """How it is shown to be true: `run`, `shown by` a test, `not run`, or only `text`."""
        if self.rule in ("not run", "shown by"):
            return self.rule
        return "text" if self.language == "text" and not self.rule else "run"

    def mistake(self) -> str | None:
        """Why nobody knows what to do with it."""
        match self.rule:
            case "not run":
                return None if self.about else "says not why it is not run"
            case "shown by":
                return None if _is_test(self.about) else f"there is no test {self.about}"
            case "file":
                return None if self.about else "says not under which name it is saved"
            case "background":
                if self.language == "console" and len(list(self.commands())) == 1:
                    return None
                return "in the background is one command of a console"
            case _:
                return self._unknown()

    def _unknown(self) -> str | None:
        """The mistake of a block that only its language explains."""
        if self.language not in (*LANGUAGES, "text"):
            return f"nobody knows what to do with {self.language or 'a block without a language'}"
        if self.language == "console" and self.text[:2] not in ("$ ", "# "):
            return "a console begins with '$ ' or '# '"
        return None


def _is_test(name: str) -> bool:
    """Whether that is one of ours: tests/x/test_y.py::test_z."""
    file, _, function = name.partition("::")
    path = TREE / file
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


@dataclass
class Page:
    """A page by its path from the tree on."""

    path: str
    text: str

    @property
    def machine(self) -> str | None:
        """A machine to run it in: `bare`, with the packages lying there; `circus`, installed."""
        found = MACHINE.search("\n".join(self.text.split("\n")[:5]))
        return None if found is None else "circus" if found[1] else "bare"

    def blocks(self) -> list[Block]:
        """All that is set as code, also what is only indented (which has no language).

        What is in braces, such as `{toctree}`, is for Sphinx and no code.
        """
        found, said = [], None
        for token in MarkdownIt().parse(self.text):
            if token.type in ("fence", "code_block") and not token.info.startswith("{"):
                assert token.map is not None
                rule, about = (said[1], said[2] or "") if said else ("", "")
                language = token.info.strip()
                found.append(Block(token.map[0] + 1, language, token.content, rule, about))
            said = RULE.fullmatch(token.content) if token.type == "html_block" else None
        return found


def pages() -> list[Page]:
    """Those that tell a reader what to do."""
    folders = (TREE.glob("*.md"), TREE.glob("docs/**/*.md"), TREE.glob("examples/**/*.md"))
    paths = sorted(str(path.relative_to(TREE)) for folder in folders for path in folder)
    return [Page(path, (TREE / path).read_text(encoding="utf-8")) for path in paths]


def same(expected: list[str], printed: str) -> bool:
    """Whether that was printed: `...` is anything in a line, and a line `...` any lines."""
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += r".*".join(map(re.escape, line.rstrip().split("..."))) + r"[ \t]*\n"
    text = printed if printed.endswith("\n") or not printed else printed + "\n"
    return re.fullmatch(pattern, text) is not None


def difference(expected: list[str], printed: str) -> str:
    """What the page says beside what was printed."""
    lines = difflib.unified_diff(
        expected, printed.splitlines(), "the page", "printed", lineterm="", n=100
    )
    return "\n".join(lines)
