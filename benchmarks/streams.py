"""A million numbered lines through each file stream: all there or counted, whatever happens to it.

Run as a module, from the repository, as root: `python -m benchmarks.streams`. While workers write,
their file is rotated a hundred times, moved, deleted, copied and cut by logrotate, and its disk,
a small one of its own, is full for a while.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.machine import TooSlow, wait_for
from benchmarks.tally import LINE_BYTES, Reader, Tally
from tests.support import Daemon, child, logrotate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LINES = 1_000_000
ROTATIONS = 100
PACE = 100_000
"""Lines a second of all workers, where no clock says when the file is rotated."""
WORKERS = 4
PATIENCE = 120.0
"""Seconds that a tenth of the lines may take."""
CONFIG = """\
[circus]
stream_backend = {backend}

[watcher:w]
cmd = {command}
numprocesses = {workers}
autostart = False
stdout_stream.filename = {out}
"""


class Kind(NamedTuple):
    """A stream to try."""

    name: str
    backend: str = "thread"
    timed: bool = False
    told: bool = True
    """Goes on in a new file only when it gets a signal."""


KINDS = (
    Kind("FileStream"),
    Kind("FileStream", backend="gevent"),
    Kind("WatchedFileStream", told=False),
    Kind("TimedRotatingFileStream", timed=True),
)


@dataclass
class Plan:
    """How much of it."""

    lines: int = LINES
    rotations: int = ROTATIONS
    pace: float = PACE


@dataclass
class Found:
    """What became of the lines, and what circusd says of it."""

    kind: Kind
    lines: int
    rotations: int
    speed: float
    read: int
    written: int
    dropped: dict[str, int]
    """Lines and bytes."""
    tally: Tally

    def gaps(self) -> int:
        """Lines that are missing and that nobody counted."""
        return max(0, self.tally.missing - self.tally.cut - self.dropped["lines"])

    def faults(self, rotations: int) -> list[str]:
        """What is not as it should be, if there were to be so many rotations."""
        size = self.lines * LINE_BYTES
        uncounted = self.tally.torn - self.dropped["lines"]
        wrong = {
            f"{self.read} bytes read of {size}": self.read != size,
            f"{self.written} bytes written and {self.dropped['bytes']} dropped of {self.read}": (
                self.written + self.dropped["bytes"] != self.read
            ),
            f"{self.gaps()} lines missing": self.gaps(),
            f"{self.tally.twice} lines twice": self.tally.twice,
            f"{self.tally.disorder} lines out of order": self.tally.disorder,
            f"{uncounted} lines torn and not counted": uncounted > 0,
            f"{self.rotations} rotations only": self.rotations < rotations,
        }
        return [what for what, is_so in wrong.items() if is_so]


@dataclass
class Run:
    """Workers that write through one kind of stream into `folder`, which is a small disk."""

    kind: Kind
    plan: Plan
    folder: Path
    daemon: Daemon
    gone: list[BinaryIO] = field(default_factory=list)
    """Files that were deleted."""
    _last: tuple[int, float] = (0, 0.0)
    """Lines that were read at the last report, and when that was."""

    @property
    def out(self) -> Path:
        """Where they write to."""
        return self.folder / "out"

    def counts(self) -> tuple[int, int, dict[str, int]]:
        """Bytes read and written, lines and bytes dropped."""
        output = self.daemon.call("stats", name="w")["output"]
        counts: dict[str, Any] = output.get("stdout", {"read": 0, "written": 0, "dropped": {}})
        reasons = counts["dropped"].values()
        dropped = {what: sum(one[what] for one in reasons) for what in ("lines", "bytes")}
        return counts["read"], counts["written"], dropped

    def rotations(self) -> int:
        """How often the file was begun anew because it was full, or its time was over."""
        return len(list(self.folder.glob("out.*")))

    def all_of_it(self) -> Found:
        """Write all lines, and meanwhile let happen what happens to files."""
        self.daemon.call("start", name="w", waiting=True)
        began = time.monotonic()
        self._last = 0, began
        for tenth in range(1, 11):
            size = self.plan.lines * LINE_BYTES * tenth // 10
            wait_for(partial(self._has_read, size), within=PATIENCE, every=0.02)
            self._report()
            if mishap := MISHAPS.get(tenth):
                mishap(self)
        wait_for(self._is_done, within=PATIENCE, every=0.02)
        took = time.monotonic() - began
        read, written, dropped = self.counts()
        return Found(
            *(self.kind, self.plan.lines, self.rotations(), self.plan.lines / took),
            *(read, written, dropped, self._tally()),
        )

    def _has_read(self, size: int) -> bool:
        return self.counts()[0] >= size

    def _is_done(self) -> bool:
        read, written, dropped = self.counts()
        return read >= self.plan.lines * LINE_BYTES and read == written + dropped["bytes"]

    def _report(self) -> None:
        lines, now, dropped = self.counts()[0] // LINE_BYTES, time.monotonic(), self.counts()[2]
        before, then = self._last
        self._last = lines, now
        self.tell(
            f"{lines} lines, {(lines - before) / (now - then):.0f} lines/s, "
            f"{self.rotations()} rotations, {dropped['lines']} dropped"
        )

    def tell(self, what: str) -> None:
        """What happens."""
        print(f"    {what}", flush=True)

    # -- what happens to the file ---------------------------

    def move(self) -> None:
        """As logrotate's `create` does."""
        self._take_away("moved")
        self.tell("moved away")
        if self.kind.told:
            self.daemon.process.send_signal(signal.SIGUSR1)

    def delete(self) -> None:
        """And keep what was in it."""
        # not at its own path: another one may have taken its place there since it was opened
        doomed = self._take_away("doomed")
        self.gone.append(doomed.open("rb"))
        doomed.unlink()
        self.tell("deleted")

    def _take_away(self, name: str) -> Path:
        target = self.folder / name

        def is_done() -> bool:
            with contextlib.suppress(FileNotFoundError):  # between two rotations there is none
                self.out.rename(target)
            return target.exists()

        wait_for(is_done, within=PATIENCE)
        return target

    def copy_and_cut(self) -> None:
        """By logrotate's `copytruncate`."""
        size = self.plan.lines * LINE_BYTES // self.plan.rotations
        # some lines of each worker, and no rotation in the next moment: then the copy tells
        # where the hole begins that is nobody's fault but that of this way to rotate
        wait_for(lambda: size / 10 < self._size() < size / 2, within=PATIENCE)
        logrotate(self.daemon, self.out, f"olddir {self.folder}/copies\ncopytruncate")
        self.tell("copied and cut by logrotate")

    def _size(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self.out.stat().st_size
        return 0

    def fill_up(self) -> None:
        """Leave no room on the disk until a hundredth of the lines was dropped."""
        ballast = self.folder / "ballast"
        fill(ballast)
        self.tell("disk full")
        enough = self.plan.lines / 100
        wait_for(lambda: self.counts()[2]["lines"] >= enough, within=PATIENCE, every=0.02)
        ballast.unlink()
        before = self.counts()[1]
        wait_for(lambda: self.counts()[1] > before, within=PATIENCE, every=0.02)
        self.tell(f"room again, {self.counts()[2]['lines']} lines dropped")

    # -- what is there in the end ---------------------------

    def _tally(self) -> Tally:
        reader = Reader(WORKERS, self.plan.lines // WORKERS)
        for copy in (self.folder / "copies").iterdir():
            reader.read_copy(copy.read_bytes())
        for path in self.folder.iterdir():
            if path.is_file():
                reader.read(path.read_bytes())
        for file in self.gone:
            with file:
                reader.read(file.read())
        return reader.result()


MISHAPS = {2: Run.move, 4: Run.delete, 6: Run.copy_and_cut, 8: Run.fill_up}
"""After how many tenths of the lines."""


def fill(file: Path) -> None:
    """Until there is no room left."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as rest:
        while True:
            rest.write(bytes(1 << 12))


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A folder with room for so many bytes; with what is in it, it is gone in the end."""
    with tempfile.TemporaryDirectory(prefix="circus-disk-") as name:
        options = f"size={size},mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "circus-disk", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def options_of(kind: Kind, plan: Plan) -> tuple[str, float]:
    """What leads to so many rotations: options of the stream, and lines a second."""
    if kind.timed:
        return "stdout_stream.rotate_when = S\n", plan.lines / (1.05 * plan.rotations)
    # what is moved, deleted, cut or dropped brings no rotation
    full = int(plan.lines * LINE_BYTES / (1.1 * plan.rotations + len(MISHAPS)))
    return f"stdout_stream.max_bytes = {full}\nstdout_stream.backup_count = 9999\n", plan.pace


def run(kind: Kind, plan: Plan) -> Found:
    """All of it with one kind of stream. Raises TooSlow when it does not come to an end."""
    options, pace = options_of(kind, plan)
    command = child("number", "$(circus.wid)", plan.lines // WORKERS, pace / WORKERS)
    with small_disk(plan.lines * LINE_BYTES * 3 // 2 + (1 << 20)) as folder:
        (folder / "copies").mkdir()
        fields = {"backend": kind.backend, "command": command, "out": folder / "out"}
        config = CONFIG.format(workers=WORKERS, **fields)
        daemon = Daemon(f"{config}stdout_stream.class = {kind.name}\n{options}")
        try:
            return Run(kind, plan, folder, daemon.wait()).all_of_it()
        finally:
            daemon.stop()


HEAD = (
    "there",
    "rotations",
    "dropped",
    "in the cut",
    "gaps",
    "torn",
    "twice",
    "disorder",
    "lines/s",
)


def line(found: Found) -> str:
    """One of the table."""
    tally = found.tally
    numbers = (
        *(tally.there, found.rotations, found.dropped["lines"], tally.cut, found.gaps()),
        *(tally.torn, tally.twice, tally.disorder, round(found.speed)),
    )
    title = f"{found.kind.name}, {found.kind.backend}"
    return f"{title:34}" + "".join(f"{number:>11}" for number in numbers)


def main() -> int:
    """Print what was found; the exit status tells whether anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="through each stream")
    parser.add_argument("--rotations", type=int, default=ROTATIONS)
    args = parser.parse_args()
    if os.geteuid():
        parser.error("only root can have a small disk")
    plan = Plan(args.lines // WORKERS * WORKERS, args.rotations)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    table, wrong = [], []
    for kind in KINDS:
        print(f"{kind.name}, {kind.backend}: {plan.lines} lines", flush=True)
        try:
            found = run(kind, plan)
        except TooSlow as error:
            wrong.append(f"{kind.name}, {kind.backend}: {error}")
            continue
        table.append(line(found))
        wrong += [f"{kind.name}, {kind.backend}: {fault}" for fault in found.faults(plan.rotations)]
    print("\n" + f"{'':34}" + "".join(f"{title:>11}" for title in HEAD), *table, sep="\n")
    print("\n".join(wrong) or "nothing is missing but what is counted")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
