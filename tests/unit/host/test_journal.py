"""Records are spelled as journald reads them."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as some

from circus.host.journal import field, leads_to_journal
from tests.journald import parse

NAMES = some.from_regex("[A-Z][A-Z0-9_]{0,20}", fullmatch=True)


@given(some.lists(some.tuples(NAMES, some.binary(max_size=50)), min_size=1, max_size=5))
def test_any_bytes_are_read_as_they_were(fields: list[tuple[str, bytes]]) -> None:
    wanted: dict[str, list[bytes]] = {}
    for name, value in fields:
        wanted.setdefault(name, []).append(value)
    assert parse(b"".join(field(name, value) for name, value in fields)) == wanted


def test_a_descriptor_is_the_stream_of_which_systemd_told() -> None:
    reading, writing = os.pipe()
    found = os.fstat(writing)
    told = f"{found.st_dev}:{found.st_ino}"
    assert leads_to_journal(writing, told)
    assert not leads_to_journal(writing, None)
    os.close(reading)
    os.close(writing)
    assert not leads_to_journal(writing, told)
