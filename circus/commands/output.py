"""What became of the output of workers, as numbers and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.commands.command import Reply
    from circus.engine import Engine


def outputs(engine: Engine) -> dict[str, Reply]:
    """By watcher and stream, of those that circusd reads: bytes, and what was dropped and why."""
    found: dict[str, Reply] = {}
    for (watcher, stream), counts in sorted(engine.pump.counts().items()):
        found.setdefault(watcher, {})[stream] = {
            "read": counts.bytes_in,
            "written": counts.bytes_out,
            "dropped": {
                reason: {"lines": loss.lines, "bytes": loss.size}
                for reason, loss in counts.dropped.items()
            },
        }
    return found


def output_rows(streams: Reply) -> Iterator[tuple[str, ...]]:
    """For each stream its name, bytes read and written, lines and bytes dropped, and why."""
    for stream, counts in streams.items():
        dropped = counts["dropped"]
        lines, size = (sum(loss[key] for loss in dropped.values()) for key in ("lines", "bytes"))
        numbers = (counts["read"], counts["written"], lines, size)
        yield (stream, *map(str, numbers), "; ".join(dropped))


def output_lines(streams: Reply) -> list[str]:
    """The same in words."""
    return [
        f"{stream}: {read} bytes read, {written} written, {size} ({lines} lines) dropped"
        + (f": {why}" if why else "")
        for stream, read, written, lines, size, why in output_rows(streams)
    ]
