"""What is offered for a line, as far as no daemon is needed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from circus.ctl import bash
from circus.ctl.complete import Line, offers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "words", "begun", "quote"),
    [
        ("circusctl  status \t we", ["circusctl", "status"], "we", ""),
        ("status 'with blank' ", ["status", "with blank"], "", ""),
        ("status 'with bl", ["status"], "with bl", "'"),
        ('status a"b c"d', ["status"], "ab cd", ""),
        ("status \"it's", ["status"], "it's", '"'),
        ("status a\\ b '\\", ["status", "a b"], "\\", "'"),
    ],
)
def test_a_line_is_taken_apart_as_bash_does(
    line: str, words: list[str], begun: str, quote: str
) -> None:
    typed = bash.read(line)
    assert (typed.words, typed.begun, typed.quote) == (words, begun, quote)


@pytest.mark.parametrize("option", ["-H", "--host", "--ssh"])
def test_nobody_is_asked_through_ssh_for_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    called = tmp_path / "called"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\ntouch {called}\nexit 1\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("CIRCUS_SSH", str(ssh))
    assert offers(Line([option, "elsewhere", "status"], "")) == []
    assert "--waiting" in offers(Line([option, "elsewhere", "stop"], "--w"))
    assert not called.exists()
