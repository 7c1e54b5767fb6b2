"""Files of keys: how they may be written, and what is said of those that cannot be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from circus.curve import client_keys, make_keys, read_certificate
from circus.exc import CircusError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "x" * 40


def test_a_file_that_somebody_wrote_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "me.key"
    file.write_text(f"# mine\n\nmetadata\n    role = read\n\n  # of last year\ncurve\n"
                    f"    public-key = '{KEY}'\n")  # fmt: skip
    found = read_certificate(file)
    assert found == (KEY.encode(), None, {"role": "read"})


@pytest.mark.parametrize("text", ["", "curve\n", "curve\n    public-key = 'short'\n", f"{KEY}\n"])
def test_a_file_without_a_key_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "me.key_secret"
    file.write_text(text)
    with pytest.raises(CircusError, match=f"^{re.escape(str(file))} holds no key$"):
        client_keys(str(file))


def test_the_only_key_of_a_folder_is_taken(tmp_path: Path) -> None:
    with pytest.raises(CircusError, match=r"holds no NAME\.key_secret; name the file$"):
        client_keys(str(tmp_path))
    secret = make_keys(str(tmp_path), "me", "read")[2]
    assert client_keys(str(tmp_path)) == client_keys(str(secret))


def test_a_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    secret = make_keys(str(tmp_path), "me", "read")[2]
    (tmp_path / "server.key").unlink()
    with pytest.raises(CircusError, match=r"^cannot read the key .*/server\.key: No such file"):
        client_keys(str(secret))


@pytest.mark.parametrize("name", ["server", ".me", "../me", "a=b", "#1", "it's", 'a"b', "a\nb"])
def test_names_that_would_be_another_file_or_break_one_are_refused(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(CircusError, match=f"^{re.escape(f'a key cannot be called {name!r}')}$"):
        make_keys(str(tmp_path), name, "read")
    assert not list(tmp_path.rglob("*.key_secret")) or sorted(
        file.name for file in tmp_path.rglob("*.key*")
    ) == ["server.key", "server.key_secret"]
