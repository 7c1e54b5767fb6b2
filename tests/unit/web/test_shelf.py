"""What a console keeps between two starts."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from circus.web.shelf import KEY_BYTES, Shelf, folder, key, replace
from tests.support import needs_root

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    made = key(tmp_path)
    assert len(made) == KEY_BYTES
    assert key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
    assert key(None) != key(None)


def test_a_key_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    made = key(tmp_path)
    assert len(made) == KEY_BYTES
    assert key(tmp_path) == made


def test_all_who_begin_at_once_have_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(key(tmp_path))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1


def test_a_folder_that_cannot_be_used_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert folder(str(tmp_path)) == tmp_path
    assert not caplog.records
    assert folder(str(tmp_path / "nope")) is None
    assert f"cannot write to state_dir {tmp_path / 'nope'}" in caplog.text


def test_nothing_of_several_processes_gets_lost(tmp_path: Path) -> None:
    shelves = [Shelf(tmp_path / "file.json") for _ in range(4)]

    def add(number: int) -> None:
        for count in range(10):
            with shelves[number].change() as items:
                items[f"{number}-{count}"] = count

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(len(shelf.items()) == 40 for shelf in shelves)
    assert {one.name for one in tmp_path.iterdir()} == {"file.json", "file.lock"}


@pytest.mark.parametrize("text", ["", "{", "[[" * 10_000, "[]", "null", "\xff"])
def test_a_file_that_makes_no_sense_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "items.json"
    path.write_text(text, encoding="latin-1")
    found = Shelf(path)
    assert found.items() == {}
    with found.change() as items:
        items["a"] = 1
    assert Shelf(path).items() == {"a": 1}


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "file.json")
    with shelf.change() as items:
        items["a"] = 1

    def fail() -> None:
        with shelf.change() as items:
            items["b"] = 2
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 it is the test's own
        fail()
    assert shelf.items() == {"a": 1}


def test_where_nothing_can_be_written_it_holds_for_this_process_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(tmp_path / "nowhere" / "file.json")
    for number in range(3):
        with shelf.change() as items:
            items[str(number)] = number
    assert shelf.items() == {"0": 0, "1": 1, "2": 2}
    assert caplog.text.count("A restart will forget who has logged in or out") == 1


@needs_root
def test_a_file_that_is_replaced_stays_whose_it_was(tmp_path: Path) -> None:
    file = tmp_path / "users"
    replace(file, b"a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    os.chown(file, 60001, 60002)
    file.chmod(0o640)
    replace(file, b"b")
    found = file.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (60001, 60002, 0o640)
    assert file.read_bytes() == b"b"
