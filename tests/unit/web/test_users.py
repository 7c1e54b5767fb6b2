"""The file of users and tokens."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from circus.exc import CircusError
from circus.web.users import (
    Entry,
    Users,
    entries,
    is_password,
    new_token,
    password_secret,
    put,
    token_secret,
)

if TYPE_CHECKING:
    from pathlib import Path

CHEAP = (
    "scrypt$2$8$1$c2FsdHNhbHRzYWx0c2Fs$"  # of "password", with numbers that cost nothing
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)


def test_what_is_written_down_of_a_password_tells_it_from_others() -> None:
    one, other = password_secret(b"correct horse"), password_secret(b"correct horse")
    assert one != other  # each has its salt
    assert is_password(b"correct horse", one)
    assert is_password(b"correct horse", other)
    assert not is_password(b"correct hors", one)
    assert not is_password(b"", one)


@pytest.mark.parametrize("numbers", ["3$8$1", "0$8$1", "9999999$8$1", "32768$99$99"])
def test_numbers_that_scrypt_does_not_take_let_nobody_in(numbers: str) -> None:
    assert not is_password(b"password", f"scrypt${numbers}$AAAA$AAAA")


def test_a_long_password_is_not_even_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashlib, "scrypt", None)
    assert Users(str(tmp_path / "none")).check("alice", "x" * 1025) is None


def test_of_many_who_add_entries_at_once_none_gets_lost(tmp_path: Path) -> None:
    file = str(tmp_path / "users")
    names = [f"bot{number}" for number in range(24)]
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(lambda name: put(file, Entry(name, "metrics", token_secret(name))), names))
    assert sorted(entries(file)) == sorted(names)
    assert os.listdir(tmp_path) == ["users"]


def test_entries_are_added_and_replaced(tmp_path: Path) -> None:
    file = str(tmp_path / "users")
    put(file, Entry("alice", "read", CHEAP))
    put(file, Entry("bot", "metrics", token_secret("t")))
    put(file, Entry("alice", "admin", CHEAP))
    assert list(entries(file).values()) == [
        Entry("alice", "admin", CHEAP),
        Entry("bot", "metrics", token_secret("t")),
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("alice", "alice:read", "alice:boss:" + CHEAP, "alice:read:plain", "al ice:read:" + CHEAP),
        *(":read:" + CHEAP, "alice:metrics", "alice:read:token$xyz", "alice:read:scrypt$2$8$1$AA"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_told_with_its_place(tmp_path: Path, line: str) -> None:
    file = tmp_path / "users"
    file.write_text(f"# users\n\n{line}\n")
    with pytest.raises(CircusError, match=f"{file}:3: this is no line that"):
        entries(str(file))


def test_a_name_is_there_once(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(f"alice:read:{CHEAP}\nalice:admin:{CHEAP}\n")
    with pytest.raises(CircusError, match=":2: there is a alice above already"):
        entries(str(file))


def test_a_token_is_known_by_what_it_hashes_to(tmp_path: Path) -> None:
    file = tmp_path / "users"
    users = Users(str(file))
    token = new_token()
    assert users.holder(token) is None
    put(str(file), Entry("bot", "operate", token_secret(token)))
    found = users.holder(token)
    assert found is not None
    assert (found.name, found.role) == ("bot", "operate")
    assert users.holder(token_secret(token)) is None
    assert users.holder("") is None
    assert users.find("bot") is None  # it is no user with a password
    assert Users(None).holder(token) is None
