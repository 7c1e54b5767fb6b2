"""Files that are begun anew at certain times."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from circus.config.kinds import BOOLEAN
from circus.exc import CircusError
from circus.stream.file import FileStream, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.stream.shared import SharedFile

DAY = 86400
UNITS = {
    "S": (1, "%Y%m%d%H%M%S"),
    "M": (60, "%Y%m%d%H%M"),
    "H": (3600, "%Y%m%d%H"),
    "D": (DAY, "%Y%m%d"),
    "MIDNIGHT": (DAY, "%Y%m%d"),
    **{f"W{day}": (7 * DAY, "%Y%m%d") for day in range(7)},
}
"""By `rotate_when` the length of a period in seconds, and what its files are called by."""
EPOCH_WEEKDAY = 3
"""1970 began on a Thursday."""


class Calendar:
    """Divides the time that clocks on the wall show into periods, which have numbers.

    Weeks begin on a Monday with W0, on a Sunday with W6. With summer time the hour, or the day,
    in which clocks are changed is longer or shorter, and that is all.
    """

    def __init__(self, when: str | None, interval: int, *, utc: bool) -> None:
        unit = str(when).upper()
        if unit not in UNITS:
            known = ", ".join(UNITS)
            raise CircusError(f"rotate_when must be one of {known}, not {when!r}")
        if not interval:
            raise CircusError("rotate_interval must be 1 or more")
        length, self.suffix = UNITS[unit]
        self.length = length * interval
        self._utc = utc
        first = (int(unit[1]) - EPOCH_WEEKDAY) % 7 if unit[0] == "W" else 0
        self._anchor = first * DAY

    def period(self, moment: float) -> int:
        """In which one this is, in seconds since 1970."""
        shift = 0 if self._utc else time.localtime(moment).tm_gmtoff
        return int((moment + shift - self._anchor) // self.length)

    def label(self, period: int) -> str:
        """When it begins, as it stands in names of files."""
        return time.strftime(self.suffix, time.gmtime(self._anchor + period * self.length))


class TimedRotatingFileStream(FileStream):
    """Begins a new file every `rotate_interval` of `rotate_when`: see UNITS.

    The old one gets the beginning of its period as a suffix; the newest `backup_count` are kept,
    or all. Periods begin at round times, whenever circusd was started.
    """

    borrows = True
    prompt = False

    def __init__(
        self,
        filename: str | None = None,
        backup_count: str | int = 0,
        time_format: str | None = None,
        rotate_when: str | None = None,
        rotate_interval: str | int = 1,
        utc: str | bool = False,  # noqa: FBT001, FBT002 as circus 0.19 has it
        **_options: object,
    ) -> None:
        try:
            in_utc = bool(BOOLEAN.parse(utc))
        except ValueError as error:
            raise CircusError(f"utc: {error}") from error
        interval = whole_number("rotate_interval", rotate_interval)
        self._calendar = Calendar(rotate_when, interval, utc=in_utc)
        super().__init__(filename, backup_count=backup_count, time_format=time_format)

    def _move_on(self, file: SharedFile, moment: float) -> str:
        if file.begun is None or not file.size():
            file.begun = moment
            return ""
        before, now = self._calendar.period(file.begun), self._calendar.period(moment)
        # a clock that was put back a little must not end a period a second time
        if before - 1 <= now <= before:
            return ""
        try:
            if file.in_place():  # not when it was moved away by others
                os.replace(self.filename, self._free_name(self._calendar.label(before)))
            file.open()
            self._remove_old()
        except OSError as error:
            return f"cannot rotate {self.filename!r}: {error.strerror}"
        file.begun = moment
        return ""

    def _free_name(self, label: str) -> str:
        """With a number for a period that came before, as when a clock was put back."""
        wanted = name = f"{self.filename}.{label}"
        number = 0
        while os.path.lexists(name):
            number += 1
            name = f"{wanted}.{number}"
        return name

    def _remove_old(self) -> None:
        if self.backup_count:
            for _age, path in sorted(self._backups())[: -self.backup_count]:
                os.unlink(path)

    def _backups(self) -> Iterator[tuple[tuple[str, int], str]]:
        """The files that were rotated away, with their age; others are none of our affair."""
        folder, base = os.path.split(self.filename)
        digits = len(self._calendar.label(0))
        ours = re.compile(rf"{re.escape(base)}\.(\d{{{digits}}})(?:\.(\d+))?")
        for name in os.listdir(folder):
            if match := ours.fullmatch(name):
                yield (match[1], int(match[2] or 0)), os.path.join(folder, name)
