"""Keys of those who may connect, of which some are no good."""

from __future__ import annotations

from pathlib import Path

import pytest

from circus.access import Role
from circus.circusctl import main
from circus.control.keys import authorized
from circus.curve import AUTHORIZED, make_keys


def test_a_key_that_cannot_be_used_lets_nobody_in_and_the_others_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "curve"
    for name in ("alice", "boss", "carol"):
        make_keys(str(folder), name, Role.READ)
    keys = folder / AUTHORIZED
    boss, carol = keys / "boss.key", keys / "carol.key"
    boss.write_text(boss.read_text().replace("read", "boss"))
    carol.write_text("nothing of a key")
    (keys / "dave.key").symlink_to(tmp_path / "nowhere")
    assert [(one.name, one.role) for one in authorized(str(folder)).values()] == [
        ("alice", Role.READ)
    ]
    told = [message.partition(": ") for message in caplog.messages]
    assert [begin for begin, _, _ in told] == [
        f"Cannot use the key {keys}/{name}.key" for name in ("boss", "carol", "dave")
    ]
    assert told[0][2] == "role = 'boss' is not one of read, operate, admin"


def test_who_has_keys_is_told_how_to_make_one_for_somebody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "curve"
    assert main(["keygen", str(folder)]) == 0
    made = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    before = {path: Path(path).read_bytes() for path in made if Path(path).is_file()}
    assert main(["keygen", str(folder)]) == 0
    said = f"there are keys in {folder}; circusctl keygen {folder} NAME makes one for somebody\n"
    assert capsys.readouterr().out == said
    assert before
    assert {path: Path(path).read_bytes() for path in before} == before
