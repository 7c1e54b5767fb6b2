"""Cutting what is read into lines, and joining them again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from circus.stream.lines import Lines, Seam

TEXT = st.lists(st.sampled_from([b"a", b"\n", b"\xe2\x82\xac", b"line\n", b"\r", b"\0"])).map(
    b"".join
)


def cut(lines: Lines, chunk: bytes) -> bytes:
    buffer = bytearray(lines.most) + bytearray(chunk)
    return bytes(lines.cut(buffer, len(chunk)))


@given(st.lists(TEXT), st.integers(min_value=1, max_value=30))
def test_every_byte_comes_out_in_order(chunks: list[bytes], most: int) -> None:
    lines = Lines(most)
    out = b"".join(cut(lines, chunk) for chunk in chunks)
    assert out + lines.flush() == b"".join(chunks)
    assert not lines


@given(st.lists(TEXT))
def test_no_line_is_torn_below_the_limit(chunks: list[bytes]) -> None:
    lines = Lines(most=1 << 20)
    for chunk in chunks:
        assert cut(lines, chunk)[-1:] in (b"", b"\n")


@given(st.lists(TEXT), st.integers(min_value=1, max_value=30))
def test_what_is_kept_stays_below_the_limit(chunks: list[bytes], most: int) -> None:
    lines = Lines(most)
    for chunk in chunks:
        cut(lines, chunk)
        rest = lines.flush()
        assert len(rest) < most
        assert cut(lines, rest) == b""


@given(st.lists(st.tuples(st.integers(0, 3), TEXT)))
def test_joined_pieces_of_several_writers_never_share_a_line(
    pieces: list[tuple[int, bytes]],
) -> None:
    seam, out = Seam(), b""
    whose: list[set[int]] = [set()]
    for owner, piece in pieces:
        if piece:
            joint = seam.joint(owner)
            out += joint + piece
            seam.wrote(owner, piece)
            if joint:
                whose.append(set())
            for part in piece.split(b"\n"):
                if part:
                    whose[-1].add(owner)
                whose.append(set())
            whose.pop()
    assert all(len(owners) <= 1 for owners in whose)
    assert out.replace(b"\n", b"") == b"".join(piece for _o, piece in pieces).replace(b"\n", b"")


def test_after_a_cut_even_its_owner_begins_a_new_line() -> None:
    seam = Seam()
    seam.wrote(1, b"half")
    assert (seam.joint(1), seam.continues(1)) == (b"", True)
    seam.cut()
    assert (seam.joint(1), seam.continues(1)) == (b"\n", False)
    seam.wrote(None, b"\n")
    seam.cut()
    assert seam.joint(2) == b""
