"""Keeping lines whole: where pieces are cut, and where they are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.stream.sink import Unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from circus.stream.sink import Piece


class Lines:
    """Cuts what one pipe gives after its last newline; the rest waits for its end.

    A rest of `most` bytes or more waits no longer, so less than that is ever kept.
    """

    __slots__ = ("_rest", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._rest = bytearray()

    def __bool__(self) -> bool:
        """Whether there is an unfinished line."""
        return bool(self._rest)

    def cut(self, buffer: bytearray, size: int) -> bytes | memoryview:
        """What need not wait any longer: whole lines, or as much of one as may not; or b"".

        `size` bytes were read into the buffer, at `most`: the room before them is for the rest, so
        that nothing long is copied. The answer may be a view of the buffer.
        """
        start, stop = self.most, self.most + size
        view = memoryview(buffer)
        end = buffer.rfind(b"\n", start, stop) + 1
        if not end:
            self._rest += view[start:stop]
            return self.flush() if len(self._rest) >= self.most else b""
        if stop - end >= self.most:
            end = stop
        begin = start - len(self._rest)
        view[begin:start] = self._rest
        self._rest = bytearray(view[end:stop])
        return view[begin:end]

    def flush(self) -> bytes:
        """The unfinished line, which is then no longer kept."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest


class Seam:
    """The end of a file that several write to: whose unfinished line it is, if it is one."""

    __slots__ = ("_owner", "owed")

    def __init__(self) -> None:
        self._owner: Hashable = None
        self.owed = b""
        """What must come before more of that line: the rest of a stamp that was cut in two."""

    def joint(self, owner: Hashable) -> bytes:
        """What must come first so that `owner` begins no line in the middle of another's."""
        return b"" if self._owner in (None, owner) else b"\n"

    def continues(self, owner: Hashable) -> bool:
        """Whether what `owner` writes next belongs to a line that it has begun."""
        return self._owner is not None and self._owner == owner

    def write(
        self, data: Piece, owner: Hashable, write: Callable[[memoryview], int], fd: int, where: str
    ) -> None:
        """All of `data`, by `write`, which leads to `fd`. Raises Unwritten, which tells `where`."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[write(rest) :]
        except OSError as error:
            written = len(data) - len(rest)
            if written:
                self.wrote(owner, bytes(data[written - 1 : written]))
            message = f"cannot write to {where}: {error.strerror or error}"
            if isinstance(error, BlockingIOError):
                raise Unwritten(message, written=written, full=fd) from error
            self.cut()
            raise Unwritten(message, written=written) from error
        self.wrote(owner, bytes(data[-1:]))

    def wrote(self, owner: Hashable, last: bytes) -> None:
        """`owner` has written something that ends with `last`."""
        self.owed = b""
        self._owner = None if last.endswith(b"\n") else owner

    def cut(self) -> None:
        """An unfinished line stays so: its end was dropped."""
        if self._owner is not None:
            self._owner = _NOBODY


_NOBODY = object()
