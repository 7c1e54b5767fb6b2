"""What came, was written and was dropped, by stream; and when a person is told about it."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.stream.sink import Piece

TELL_AGAIN = 60.0
"""Seconds between two reports of trouble that goes on."""
QUIET = 1.0
"""Seconds without trouble after which it is over, if something was written meanwhile."""
REASONS_MAX = 8
"""So many reasons are told apart in one stream; a sink's own words may differ each time."""
OTHER_REASONS = "other reasons"


class Loss(NamedTuple):
    """What was dropped. A part of a line counts as one."""

    lines: int = 0
    size: int = 0
    """In bytes."""

    def plus(self, other: Loss) -> Loss:
        """Both together."""
        return Loss(self.lines + other.lines, self.size + other.size)

    @classmethod
    def of(cls, data: Piece) -> Loss:
        """All of this."""
        dropped = bytes(data)
        return cls(dropped.count(b"\n") + (dropped[-1:] not in (b"", b"\n")), len(dropped))


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """Bytes that workers wrote, those of them that were written on, and by reason those dropped.

    What is in neither waits in circusd: for a sink that is full, or for the end of its line.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    dropped: Mapping[str, Loss] = dataclasses.field(default_factory=dict)

    @property
    def lost(self) -> Loss:
        """Dropped for whatever reason."""
        return Loss(*map(sum, zip(Loss(), *self.dropped.values(), strict=True)))


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """Something about a stream that a person should know."""

    watcher: str
    stream: str
    lost: Loss
    """What was dropped since this was last told."""
    reasons: tuple[str, ...]
    begins: bool
    """It was all right before; what is lost is told later, once it is known how much."""
    over: bool
    counts: Counts

    def __str__(self) -> str:
        why = ", ".join(self.reasons)
        if self.begins:
            return f"{self.watcher}: trouble with {self.stream}: {why}"
        if not self.lost.size:
            return f"{self.watcher}: {self.stream} is written again"
        lines = f"{self.lost.lines} line" + "s" * (self.lost.lines != 1)
        again = "; it is written again" if self.over else ""
        return f"{lines} of {self.watcher} dropped from {self.stream} ({why}){again}"


class Account:
    """One stream of one watcher, through all its workers. Only the pump's thread changes it."""

    def __init__(self, watcher: str, stream: str, ledger: Ledger) -> None:
        self.bytes_in = 0
        self._watcher = watcher
        self._stream = stream
        self._ledger = ledger
        self._bytes_out = 0
        self._dropped: dict[str, Loss] = {}
        self._untold: dict[str, Loss] = {}
        """By reason; also those for which nothing was dropped."""
        self.fine = True
        """Everything was written since the last trouble."""
        self._failed_at = 0.0
        self._told_at = 0.0

    def counts(self) -> Counts:
        """As they are now; may be asked from any thread."""
        # in this order: what is read meanwhile must not seem to be written before it came
        dropped, written = dict(self._dropped), self._bytes_out
        return Counts(self.bytes_in, written, dropped)

    def came(self, size: int) -> None:
        """So many bytes were read."""
        self.bytes_in += size

    def wrote(self, size: int, *, everything: bool) -> None:
        """The sink took so many bytes; `everything`: all that it was given."""
        self._bytes_out += size
        self.fine = self.fine or everything

    def drop(self, data: Piece, reason: str) -> None:
        """This could not be put anywhere."""
        known = reason in self._dropped or len(self._dropped) < REASONS_MAX
        reason = reason if known else OTHER_REASONS
        loss = Loss.of(data)
        self._dropped[reason] = self._dropped.get(reason, Loss()).plus(loss)
        self.trouble(reason, loss)

    def trouble(self, reason: str, loss: Loss = Loss()) -> None:  # noqa: B008 it is immutable
        """Something failed: it is told at once if all was well before, else in a while."""
        self.fine = False
        self._failed_at = self._ledger.clock()
        if loss.size or len(self._untold) < REASONS_MAX:
            self._untold[reason] = self._untold.get(reason, Loss()).plus(loss)
        if self._ledger.troubled(self):
            self._told_at = self._failed_at
            self._tell((reason,), Loss(), begins=True)

    def moment(self) -> float | None:
        """When there is something to say, or None."""
        again = self._told_at + TELL_AGAIN if self._lost().size else None
        if not self.fine:
            return again
        over = self._failed_at + QUIET
        return over if again is None else min(over, again)

    def settle(self, now: float) -> bool:
        """Say what is to be said by now. Whether the trouble is over."""
        over = self.fine and now >= self._failed_at + QUIET
        if over or (self._lost().size and now >= self._told_at + TELL_AGAIN):
            self._told_at = now
            self.tell_all(over=over)
        return over

    def tell_all(self, *, over: bool) -> None:
        """Say what was not said yet."""
        untold, lost = self._untold, self._lost()
        self._untold = {}
        if over or lost.size:
            self._tell(tuple(untold), lost, over=over)

    def _lost(self) -> Loss:
        return Counts(dropped=self._untold).lost

    def _tell(
        self, reasons: tuple[str, ...], lost: Loss, *, begins: bool = False, over: bool = False
    ) -> None:
        counts = self.counts()
        told = Trouble(self._watcher, self._stream, lost, reasons, begins, over, counts)
        self._ledger.on_trouble(told)


class Ledger:
    """The accounts of all streams, and which of them are in trouble."""

    def __init__(
        self,
        on_trouble: Callable[[Trouble], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_trouble = on_trouble
        self.clock = clock
        self._accounts: dict[tuple[str, str], Account] = {}
        self._troubled: set[Account] = set()

    def account(self, watcher: str, stream: str) -> Account:
        """The one of this stream."""
        key = (watcher, stream)
        if key not in self._accounts:
            self._accounts[key] = Account(watcher, stream, self)
        return self._accounts[key]

    def forget(self, watcher: str) -> None:
        """Nobody asks for its counts any more; pipes that are still read keep theirs."""
        for key in [key for key in self._accounts if key[0] == watcher]:
            del self._accounts[key]

    def counts(self) -> dict[tuple[str, str], Counts]:
        """By watcher and stream; may be asked from any thread."""
        return {key: account.counts() for key, account in dict(self._accounts).items()}

    def troubled(self, account: Account) -> bool:
        """Look after this one until its trouble is over. Whether it had none before."""
        new = account not in self._troubled
        self._troubled.add(account)
        return new

    def moments(self) -> list[float]:
        """When something is to be said."""
        found = (account.moment() for account in self._troubled)
        return [moment for moment in found if moment is not None]

    def settle(self) -> None:
        """Say what is to be said by now."""
        if self._troubled:
            now = self.clock()
            self._troubled -= {one for one in self._troubled if one.settle(now)}

    def close(self) -> None:
        """Say what was not said yet."""
        for account in self._troubled:
            account.tell_all(over=account.fine)
