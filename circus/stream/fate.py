"""What becomes of a piece of output that a sink is called with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.stream.sink import Unwritten

if TYPE_CHECKING:
    from circus.stream.ledger import Account
    from circus.stream.sink import Piece, Record, Sink


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a piece of output: `rest` was not written.

    No exception is kept: its frames would keep all that they know.
    """

    account: Account
    size: int
    rest: Piece = b""
    reason: str = ""
    full: int | None = None
    patience: float | None = None
    """Both as of `Unwritten`."""

    def book(self) -> None:
        """Count it. In the pump's thread."""
        if written := self.size - len(self.rest):
            self.account.wrote(written, everything=not self.rest)
        if self.rest:
            self.account.drop(self.rest, self.reason)
        elif self.reason:
            self.account.trouble(self.reason)


def put(sink: Sink, record: Record, data: Piece, account: Account) -> Fate:
    """Call the sink, whose record has this data."""
    try:
        sink(record)
    except Unwritten as error:
        rest = bytes(data[error.written :])  # the view will not last
        return Fate(account, len(data), rest, _words(error), error.full, error.patience)
    except Exception as error:  # noqa: BLE001 a sink may be anybody's code
        return Fate(account, len(data), bytes(data), _words(error))
    return Fate(account, len(data))


def tell(sink: Sink, what: str, account: Account) -> Fate:
    """Call the sink's open(), close(), reopen() or ended(), if it has one."""
    method = getattr(sink, what, None)
    try:
        if method is not None:
            method()
    except Exception as error:  # noqa: BLE001 a sink may be anybody's code
        return Fate(account, 0, reason=_words(error))
    return Fate(account, 0)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
