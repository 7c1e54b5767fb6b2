"""Stamps before lines, and how much of what was written is data."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from circus.stream.stamp import Stamp

DATA = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\xe2\x82\xac", b"NOW"]), min_size=1).map(
    b"".join
)


def test_the_stamp_is_the_time_of_the_record_and_the_pid() -> None:
    stamp = Stamp({"pid": 7, "timestamp": 86400.0 * 365}, "%Y-%m-%d", continues=False)
    day = time.strftime("%Y-%m-%d", time.localtime(86400.0 * 365)).encode()
    assert stamp.put_on(b"one\n\ntwo") == b"%b [7] | one\n%b [7] | \n%b [7] | two" % (day, day, day)


@given(DATA, st.booleans())
def test_every_line_has_one_stamp_and_every_byte_is_there(data: bytes, continues: bool) -> None:  # noqa: FBT001
    stamp = Stamp({"pid": 1}, "T", continues=continues)
    stamped = stamp.put_on(data)
    lines = data.split(b"\n")
    expected = [b"T [1] | " + line for line in lines]
    if continues:
        expected[0] = lines[0]
    if data.endswith(b"\n"):
        expected[-1] = b""
    assert stamped == b"\n".join(expected)
    counted = [stamp.taken_off(stamped[:size]) for size in range(len(stamped) + 1)]
    assert (counted[0], counted[-1]) == (0, len(data))
    assert counted == sorted(counted)
