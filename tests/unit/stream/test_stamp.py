"""Stamps before lines, and how much of what was written is data."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from circus.stream import Unwritten
from circus.stream.lines import Seam
from circus.stream.stamp import Stamp, label

DATA = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\xe2\x82\xac", b"NOW"]), min_size=1).map(
    b"".join
)


def test_the_label_is_the_time_of_the_record_and_the_pid() -> None:
    day = time.strftime("%Y-%m-%d", time.localtime(86400.0 * 365))
    record = {"pid": 7, "timestamp": 86400.0 * 365}
    assert label(record, "%Y-%m-%d") == f"{day} [7] | ".encode()
    assert label({}, "T") == b"T [] | "


@given(DATA, st.booleans(), st.sampled_from([b"", b"END"]))
def test_every_line_has_one_stamp_and_every_byte_is_there(
    data: bytes,
    continues: bool,  # noqa: FBT001
    closing: bytes,
) -> None:
    seam = Seam()
    if continues:
        seam.wrote("me", b"begun")
    stamp = Stamp.after(seam, "me", b"T | ", b"BEGIN ", closing)
    stamped = stamp.put_on(data)
    lines = data.split(b"\n")
    expected = [b"BEGIN T | " + line + closing for line in lines]
    if continues:
        expected[0] = b"BEGIN " + lines[0] + closing
    if data.endswith(b"\n"):
        expected[-1] = b""
    assert stamped == b"\n".join(expected)
    counted = [stamp.taken_off(data, size)[0] for size in range(len(stamped) + 1)]
    assert (counted[0], counted[-1]) == (0, len(data))
    assert counted == sorted(counted)


@given(DATA, st.sampled_from([b"", b"END"]), st.floats(0, 1))
def test_what_is_cut_in_two_is_put_together(data: bytes, closing: bytes, share: float) -> None:
    whole = Stamp(b"T | ", b"T | ", closing).put_on(data)
    rooms = iter([int(len(whole) * share)])
    written = bytearray()

    def put(text: bytes) -> None:
        part = text[: next(rooms, None)]
        written.extend(part)
        if part:
            seam.wrote("me", part[-1:])
        if part != text:
            raise Unwritten("full", written=len(part))

    seam, took = Seam(), len(data)
    try:
        Stamp.after(seam, "me", b"T | ", closing=closing).write(data, seam, put)
    except Unwritten as error:
        took = error.written
    if took < len(data):
        Stamp.after(seam, "me", b"T | ", closing=closing).write(data[took:], seam, put)
    # what ends a piece of a line may come twice
    assert bytes(written).replace(b"ENDEND", b"END").startswith(whole.removesuffix(closing))
