"""A pretend kernel, as rude as the real one, for the pool to work with.

It performs effects and answers with events when it is told to: late death even after SIGKILL,
death before the signal, exit and start in one tick, pids used again, a clock that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.core import slot as core
from circus.core.pool import Pool

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig


@dataclass
class Child:
    """A process of the pretend kernel, and what it left behind."""

    pid: int
    wid: int
    leader: bool = True
    leftovers: bool = False
    killed: bool = False


@dataclass
class Kernel:
    """Holds the children of one pool, and every rule that was broken."""

    config: WatcherConfig
    pool: Pool = field(init=False)
    now: float = 100.0
    children: dict[int, Child] = field(default_factory=dict)
    spawning: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pool = Pool(self.config)

    def perform(self, effects: list[tuple[int, core.Effect]]) -> None:
        """Do what the pool asked for, watching that it may be asked for."""
        for wid, effect in effects:
            child = self.children.get(wid)
            match effect:
                case core.Spawn():
                    if child is not None or wid in self.spawning:
                        self.broken.append(f"two processes in slot {wid}")
                    self.spawning.append(wid)
                case core.Signal():
                    if child is None:
                        self.broken.append(f"signal to nobody in slot {wid}")
                case core.KillTree():
                    if child is None:
                        self.broken.append(f"kill of nobody in slot {wid}")
                    else:
                        child.killed = True

    def send(self, wid: int, event: core.Event) -> None:
        """Tell the pool that something happened."""
        self.perform(self.pool.handle(wid, event, self.now))

    def finish_spawn(self, wid: int, *, fails: bool) -> None:
        """Answer a start."""
        if wid not in self.spawning:
            return
        self.spawning.remove(wid)
        if fails:
            self.send(wid, core.SpawnFailed("no such file", 0.5))
            return
        # the lowest pid that is free: they are used again as soon as they can be
        used = {child.pid for child in self.children.values()}
        pid = next(pid for pid in range(2, 10_000) if pid not in used)
        self.children[wid] = Child(pid, wid)
        self.send(wid, core.Spawned(pid, 0.5))

    def die(self, wid: int, *, leaves: bool = False) -> None:
        """The leader ends, whether or not it was asked to."""
        child = self.children.get(wid)
        if child is None or not child.leader:
            return
        child.leader = False
        child.leftovers = leaves
        if not leaves:
            del self.children[wid]
        self.send(wid, core.Exited("exited with code 1", empty=not leaves, luck=0.5))

    def clear(self, wid: int) -> None:
        """What a leader left behind ends."""
        child = self.children.get(wid)
        if child is None or child.leader:
            return
        del self.children[wid]
        self.send(wid, core.Emptied(0.5))

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, telling the pool of its deadlines on the way."""
        until = self.now + seconds
        for _ in range(10_000):
            deadline = self.pool.deadline(self.now)
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.perform(self.pool.due(self.now))
        self.now = until

    def behave(self) -> None:
        """From now on programs start, those who were killed die, and nothing else happens."""
        for _ in range(200):
            for wid in list(self.spawning):
                self.finish_spawn(wid, fails=False)
            for child in list(self.children.values()):
                if child.killed or (child.wid in self.children and not child.leader):
                    self.die(child.wid)
                    self.clear(child.wid)
            if not self.spawning and self.pool.deadline(self.now) is None:
                return
            deadline = self.pool.deadline(self.now)
            self.pass_time(0.0 if deadline is None else max(0.0, deadline - self.now))
