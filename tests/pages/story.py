"""A page, carried out as a reader would."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.pages.page import Block, Command, Page, difference, same
from tests.pages.shell import Stuck
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.pages.shell import Shell

CIRCUSD = re.compile(r"circusd (?!.*--(?:check|daemon|help|version)\b)[^;&|<>]*")
"""A circusd that stays where it is started."""
READY = re.compile(r"Control is at ([^,]+),(?:.*\n)+.*waiting for commands\n")
SETTLED = "circusctl --endpoint {0} wait --for settled $(circusctl --endpoint {0} list | tr , ' ')"
"""Returns when circusd has started all that it is to start."""
TAIL = 30
"""So many lines of programs in the background are shown when something went wrong."""


class Untrue(Exception):
    """The page says something else than what happens."""


class Story:
    """Takes the blocks of a page from top to bottom.

    `patience`: seconds in which the background has to say what is shown.
    """

    def __init__(self, page: Page, shell: Shell, patience: float = 20) -> None:
        self._page = page
        self._shell = shell
        self._patience = patience
        self._background: dict[str, int] = {}

    def run(self) -> None:
        """Untrue with page, line, and what went wrong, at the first block that is so."""
        for block in self._page.blocks():
            if block.kind == "run":
                self._take(block)

    def _take(self, block: Block) -> None:
        if block.rule == "file":
            self._shell.write(block.about, block.text)
            if block.about.endswith(".ini"):
                self._check(block, block.about)
        elif block.language == "ini":
            self._shell.write(".checked.ini", block.text)
            self._check(block, ".checked.ini")
        elif block.language == "python":
            self._shell.write(".program.py", block.text)
            self._succeed(block.line, "python .program.py")
        elif block.language == "json":
            self._parse(block)
        else:
            self._type(block)

    def _check(self, block: Block, path: str) -> None:
        self._succeed(block.line, f"circusd --check {shlex.quote(path)}")

    def _parse(self, block: Block) -> None:
        try:
            json.loads(block.text)
        except ValueError as error:
            raise self._untrue(block.line, "the JSON", str(error)) from None

    def _type(self, block: Block) -> None:
        for command in block.commands():
            if block.rule == "background" or CIRCUSD.fullmatch(command.text):
                self._start(command)
                continue
            printed = self._succeed(command.line, command.text)
            if command.prints and not same(command.prints, printed):
                told = difference(command.prints, printed)
                raise self._untrue(command.line, command.text, told)

    def _start(self, command: Command) -> None:
        """In the background; what the page shows has been printed when this returns."""
        number = self._background[command.text] = self._shell.start(command.text)
        circusd = CIRCUSD.fullmatch(command.text) is not None

        def said() -> bool:
            printed = self._shell.output(number)
            if circusd and not READY.search(printed):
                return False
            return not command.prints or same([*command.prints, "..."], printed)

        def ended() -> bool:
            return self._shell.run("kill -0 $!")[0] != 0

        with contextlib.suppress(AssertionError):  # what it has not said is told below
            wait_until(lambda: said() or ended(), within=self._patience)
        if not said():
            told = difference(command.prints, self._shell.output(number))
            raise self._untrue(command.line, command.text, told)
        if circusd and (ready := READY.search(self._shell.output(number))):
            self._shell.run(SETTLED.format(ready[1]))  # where we may ask

    def _succeed(self, line: int, command: str) -> str:
        """What a command prints."""
        try:
            status, printed = self._shell.run(command)
        except Stuck as stuck:
            raise self._untrue(line, command, str(stuck)) from None
        if status:
            raise self._untrue(line, command, f"exit status {status}\n{printed}")
        return printed

    def _untrue(self, line: int, what: str, told: str) -> Untrue:
        """The error for that, with what runs in the background has to say."""
        parts = [f"{self._page.path}:{line}: {what}\n{told}"]
        for command, number in self._background.items():
            said = self._shell.output(number).splitlines()[-TAIL:]
            parts.append("\n".join([f"In the background, {command}:", *said]))
        return Untrue("\n\n".join(parts))


def told(page: Page, shell: Shell, patience: float = 20) -> None:
    """A page from its top to its end; fails with what is not true."""
    untrue = ""
    try:
        Story(page, shell, patience).run()
    except Untrue as error:
        untrue = str(error)
    if untrue:
        pytest.fail(untrue, pytrace=False)
