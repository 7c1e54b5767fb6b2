"""Records are spelled as journald reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from circus.host.journal import field
from tests.journald import parse

NAMES = some.from_regex("[A-Z][A-Z0-9_]{0,20}", fullmatch=True)


@given(some.lists(some.tuples(NAMES, some.binary(max_size=50)), min_size=1, max_size=5))
def test_any_bytes_are_read_as_they_were(fields: list[tuple[str, bytes]]) -> None:
    wanted: dict[str, list[bytes]] = {}
    for name, value in fields:
        wanted.setdefault(name, []).append(value)
    assert parse(b"".join(field(name, value) for name, value in fields)) == wanted
