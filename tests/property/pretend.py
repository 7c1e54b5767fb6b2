"""A pretend kernel, as rude as the real one, for the pool to work with.

It performs effects and answers with events when it is told to: late death even after SIGKILL,
death before the signal, exit and readiness in one tick in either order, pids used again at once,
timers that are late, a clock that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from circus.core import slot as core
from circus.core.life import AFTER_ANSWER, Answered, Ask
from circus.core.pool import ITSELF, Pool
from circus.core.slot import State

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig
    from circus.core.pool import Effects


@dataclass
class Child:
    """A process of the pretend kernel, and what it left behind."""

    pid: int
    wid: int
    leader: bool = True
    leftovers: bool = False
    asked: bool = False
    """To end, by whatever signal."""
    killed: bool = False


@dataclass
class Kernel:
    """Holds the children of one pool, and every rule that was broken."""

    config: WatcherConfig
    pool: Pool = field(init=False)
    now: float = 100.0
    children: dict[int, Child] = field(default_factory=dict)
    spawning: list[int] = field(default_factory=list)
    asked: str = ""
    """The hook of the watcher that has not answered yet."""
    broken: list[str] = field(default_factory=list)
    signalled: list[int] = field(default_factory=list)
    """The slots that signals were sent to, SIGKILL too."""

    def __post_init__(self) -> None:
        self.pool = Pool(self.config)

    # -- what the pool asks for ------------------------------------------------

    def perform(self, effects: Effects) -> None:
        """Do what the pool asked for, watching that it may be asked for."""
        for wid, effect in effects:
            match effect:
                case core.Spawn():
                    if wid in self.children or wid in self.spawning:
                        self.broken.append(f"two processes in slot {wid}")
                    self.spawning.append(wid)
                case core.Signal():
                    self._aim(wid, "signal")
                case core.KillTree():
                    self._aim(wid, "kill", kills=True)
                case Ask(hook):
                    if self.asked or wid != ITSELF:
                        self.broken.append(f"{hook} is asked beside {self.asked}")
                    self.asked = hook

    def _aim(self, wid: int, what: str, *, kills: bool = False) -> None:
        """The shell sends it to whatever it knows of this slot, so there has to be something."""
        self.signalled.append(wid)
        child = self.children.get(wid)
        if child is None:
            self.broken.append(f"{what} to nobody in slot {wid}")
            return
        child.asked = True
        child.killed = child.killed or kills
        if child.leader and self.pool.slots[wid].pid != child.pid:
            self.broken.append(f"{what} to a pid that is not in slot {wid}")

    def configure(self, **changes: object) -> None:
        """What `set` does."""
        self.pool.config = replace(self.pool.config, **changes)  # type: ignore[arg-type] # by name
        self.perform(self.pool.reconcile(self.now))

    # -- what happens ------------------------------------------------

    def send(self, wid: int, event: core.Event) -> None:
        """Tell the pool that something happened."""
        self.perform(self.pool.handle(wid, event, self.now))

    def finish_spawn(self, wid: int, *, fails: bool) -> None:
        """Answer a start."""
        if wid not in self.spawning:
            return
        if fails:
            self.spawning.remove(wid)
            self.send(wid, core.SpawnFailed("no such file", 0.5))
            return
        self.send(wid, core.Spawned(self._give_birth(wid), 0.5))

    def _give_birth(self, wid: int) -> int:
        self.spawning.remove(wid)
        # the lowest pid that is free: they are used again as soon as they can be
        used = {child.pid for child in self.children.values()}
        pid = next(pid for pid in range(2, 10_000) if pid not in used)
        self.children[wid] = Child(pid, wid)
        return pid

    def refuse(self, wid: int, *, runs: bool, later: bool) -> None:
        """A hook lets a worker not start, or not go on."""
        if wid not in self.spawning:
            return
        if not runs:
            self.spawning.remove(wid)
            self.send(wid, core.Refused("a hook refused it", later, luck=0.5))
            return
        pid = self._give_birth(wid)
        self.send(wid, core.Refused("a hook refused it", later, pid, 0.5))

    def answer(self, *, refuses: bool, later: bool = False) -> None:
        """The hook of the watcher answers."""
        if self.asked:
            self.asked = ""
            event = Answered("a hook refused it" if refuses else "", later, 0.5)
            self.perform(self.pool.answered(event, self.now))

    def finish_spawns(self) -> None:
        """Every start that is under way succeeds."""
        for wid in list(self.spawning):
            self.finish_spawn(wid, fails=False)

    def die(self, wid: int, *, leaves: bool = False, well: bool = False) -> None:
        """The leader ends, whether or not it was asked to."""
        child = self.children.get(wid)
        if child is None or not child.leader:
            return
        child.leader = False
        child.leftovers = leaves
        if not leaves:
            del self.children[wid]
        how = "exited with code 0" if well else "exited with code 1"
        self.send(wid, core.Exited(how, empty=not leaves, success=well, luck=0.5))

    def clear(self, wid: int) -> None:
        """What a leader left behind ends."""
        child = self.children.get(wid)
        if child is None or child.leader:
            return
        del self.children[wid]
        self.send(wid, core.Emptied(0.5))

    # -- the clock ------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, telling the pool of its deadlines on the way."""
        until = self.now + seconds
        for _ in range(10_000):
            deadline = self.pool.deadline(self.now)
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.due()
        self.now = until

    def jump(self, seconds: float) -> None:
        """The machine was asleep, or busy: every timer of that time is late."""
        self.now += seconds
        self.due()

    def due(self) -> None:
        """Tell the pool that its timer has run out."""
        self.perform(self.pool.due(self.now))

    def tie(self, wid: int, *, exit_first: bool) -> None:
        """A leader ends in the very moment of the next deadline."""
        deadline = self.pool.deadline(self.now)
        if deadline is not None:
            self.now = max(self.now, deadline)
        if exit_first:
            self.die(wid)
            self.due()
        else:
            self.due()
            self.die(wid)

    # -- rules ------------------------------------------------

    def check(self) -> None:
        """What holds at every moment. Raises AssertionError."""
        assert self.broken == []
        for slot in self.pool.slots.values():
            if slot.state in (State.STOPPING, State.BACKOFF, State.STARTING):
                assert slot.deadline is not None, f"{slot.state} would last for ever"
            child = self.children.get(slot.wid)
            if slot.state in (State.READY, State.STARTING):
                assert child is not None
                assert (child.pid, child.leader) == (slot.pid, True)
            if slot.state is State.STOPPING:
                assert child is not None
                assert child.asked
            assert (slot.wid in self.spawning) == (slot.state is State.SPAWNING)
        deadlines = [one.deadline for one in self.pool.slots.values() if one.deadline is not None]
        if deadlines:
            timer = self.pool.deadline(self.now)
            assert timer is not None
            assert timer <= min(deadlines), "a deadline nobody will be told of"
        stage = self.pool.life.stage
        assert self.asked == (stage if stage in AFTER_ANSWER else ""), "nobody will answer"
        assert set(self.children) | set(self.spawning) <= set(self.pool.slots)
        if self.pool.config.singleton and self.pool.replacement is None:
            assert len([one for one in self.pool.slots.values() if one.wanted]) <= 1

    def behave(self) -> None:
        """From now on programs start, hooks agree, the killed die, and that is all."""
        for _ in range(200):
            self.answer(refuses=False)
            self.finish_spawns()
            for child in list(self.children.values()):
                if child.killed or (child.wid in self.children and not child.leader):
                    self.die(child.wid)
                    self.clear(child.wid)
            deadline = self.pool.deadline(self.now)
            if not self.spawning and not self.asked and deadline is None:
                return
            self.pass_time(0.0 if deadline is None else max(0.0, deadline - self.now))
