"""A watcher's slots: how many, which old ones may go now, and one word for all of them.

An event costs what it touches: its slot, the counters, the heap of deadlines.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.core import slot as core
from circus.core.life import AFTER_ANSWER, FILLED, Answered, Ask, Life, Stage
from circus.core.slot import TURNED_AWAY, UNASKED, Slot, State

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig

    Effects = list[tuple[int, core.Effect | Ask]]

ITSELF = 0
"""Stands for the watcher where a wid is expected."""
BUSY = (State.SPAWNING, State.STARTING, State.STOPPING)
RISING = (State.SPAWNING, State.STARTING)
TRYING = (*RISING, State.BACKOFF)
FELL = (State.BACKOFF, State.FAILED, State.DONE)


@dataclass
class Replacement:
    """A reload under way: the workers still to be replaced, and those that replace them."""

    old: dict[int, None]
    """The oldest first."""
    sequential: bool
    fresh: set[int] = field(default_factory=set)
    """New ones that do not stand yet."""
    stood: int = 0
    """How many new ones have become ready; places that were not filled before count as new."""
    fallen: Slot | None = None
    """A new one that ended before it stood."""
    current: int | None = None
    """The slot that a sequential reload is working on."""


class Pool:
    """Holds the slots of one watcher. Pure: it returns effects, others perform them."""

    def __init__(self, config: WatcherConfig) -> None:
        self.config = config
        self.slots: dict[int, Slot] = {}
        self.life = Life()
        self.trouble = ""
        """Why the last reload was given up, or nothing."""
        self.replacement: Replacement | None = None
        self.generation = 0
        """Goes up with each start, restart and reload, not when a worker ends and is replaced."""
        self._filled = False
        self._members: dict[int, None] = {}
        self._leaving: dict[int, None] = {}
        """Slots that nobody wants any more but that are not empty yet."""
        self._counts: Counter[State] = Counter()
        self._free: list[int] = []
        self._highest = 0
        self._deadlines: list[tuple[float, int]] = []
        self._next_spawn = 0.0

    # -- what is wanted ------------------------------------------------

    @property
    def count(self) -> int:
        """How many workers there should be while the watcher is up."""
        wanted = self.config.numprocesses
        return min(wanted, 1) if self.config.singleton else wanted

    @property
    def up(self) -> bool:
        """Whether there are to be workers."""
        return self.life.wanted

    def start(self, now: float) -> Effects:
        """Bring every position up; those that gave up or wait get another try at once."""
        self.life.start(self.config)
        effects: Effects = []
        for wid in [w for w in self._members if self._has_ended(self.slots[w])]:
            effects += self._step(wid, core.Retry(), now)
        return effects + self.reconcile(now)

    def stop(self, now: float) -> Effects:
        """Let every position become empty."""
        self.life.stop()
        self.replacement = None
        return self.reconcile(now)

    def restart(self, now: float) -> Effects:
        """Stop everything, then start everything."""
        self.life.restart()
        self.replacement = None
        return self.reconcile(now)

    def reload(self, now: float, *, sequential: bool) -> Effects:
        """Replace every worker by a new one; the old one goes when the new one is ready."""
        old = dict.fromkeys(sorted(self._members, key=lambda wid: self.slots[wid].started))
        self.trouble = ""
        self.replacement = None
        self.generation += 1
        effects: Effects = []
        fell = [wid for wid in old if self.slots[wid].state in FELL]
        for wid in fell:
            del old[wid]
            effects += self._step(wid, core.Retry(), now)
        # a singleton never has two, so its old one has to go first
        self.replacement = Replacement(
            old, sequential=sequential or self.config.singleton, stood=len(fell)
        )
        return effects + self.reconcile(now)

    # -- what happened ------------------------------------------------

    def handle(self, wid: int, event: core.Event, now: float) -> Effects:
        """Take in one event of one slot. Late events of slots that are gone are ignored."""
        if wid not in self.slots:
            return []
        refused = isinstance(event, core.Refused) and not event.later
        refused = refused and self.slots[wid].wanted and self.replacement is None
        effects = self._step(wid, event, now)
        if refused and self.up:
            # but what a reload makes anew may be refused while the old goes on
            self.life.refuse(self.slots[wid].last)
        return effects + self.reconcile(now)

    def answered(self, event: Answered, now: float) -> Effects:
        """The hook of the watcher that was asked has answered."""
        self.life.answered(event, self.config, now)
        return self.reconcile(now)

    def due(self, now: float) -> Effects:
        """Take in every deadline that is behind us."""
        effects: Effects = []
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, wid = heapq.heappop(self._deadlines)
            slot = self.slots.get(wid)
            if slot is not None and slot.deadline == deadline:
                effects += self._step(wid, core.DeadlinePassed(), now)
        return effects + self.reconcile(now)

    def deadline(self, now: float) -> float | None:
        """When something is to be done next, in monotonic seconds, or None."""
        while self._deadlines:
            deadline, wid = self._deadlines[0]
            slot = self.slots.get(wid)
            if slot is not None and slot.deadline == deadline:
                break
            heapq.heappop(self._deadlines)
        moments = [self._deadlines[0][0]] if self._deadlines else []
        if self._next_spawn > now and self._is_waiting_to_spawn():
            moments.append(self._next_spawn)
        if self.life.not_before is not None:
            moments.append(self.life.not_before)
        return min(moments, default=None)

    # -- what is ------------------------------------------------

    @property
    def settled(self) -> bool:
        """Nothing is on its way: every slot is up, empty, waiting to retry or given up."""
        life = self.life
        if life.stage in AFTER_ANSWER or (life.again and life.not_before is None):
            return False
        if self.replacement is not None or self._is_waiting_to_spawn():
            return False
        return not any(self._counts[state] for state in BUSY)

    @property
    def status(self) -> str:
        """`active`, `starting`, `stopping` or `stopped`; active also with no worker to run."""
        match self.life.stage:
            case Stage.BEFORE_START | Stage.AFTER_START:
                return "starting"
            case Stage.BEFORE_STOP | Stage.SINKING:
                return "stopping"
            case Stage.AFTER_STOP:
                return "stopping" if self.life.again else "stopped"
            case Stage.DOWN:
                return "starting" if self.life.again else "stopped"
            case Stage.RISING | Stage.UP:
                return self._word()

    def _word(self) -> str:
        """The status while there are workers to be."""
        standing = "active" if self.life.stage is Stage.UP else "starting"
        if self._counts[State.READY]:
            return standing
        if any(self._counts[state] for state in TRYING) or self._is_waiting_to_spawn():
            return "starting"
        return standing if self._counts[State.STOPPING] or not self._members else "stopped"

    def wants(self, wid: int) -> bool:
        """Whether there is to be a worker in this position."""
        return wid in self.slots and self.slots[wid].wanted

    def count_in(self, *states: State) -> int:
        """How many slots are in one of these states."""
        return sum(self._counts[state] for state in states)

    # -- making it so ------------------------------------------------

    def reconcile(self, now: float) -> Effects:
        """Bring the watcher, and the number of wanted positions, to where they should be."""
        effects: Effects = []
        while True:
            before = (self.life.stage, bool(self.slots))
            stands, empty = self._stands(), not self.slots
            ask = self.life.advance(self.config, now, stands=stands, empty=empty)
            if ask is not None:
                effects.append((ITSELF, ask))
            effects += self._fit(now)
            if before == (self.life.stage, bool(self.slots)):
                return effects

    def _fit(self, now: float) -> Effects:
        """Have as many wanted positions as there should be."""
        effects: Effects = []
        before, self._filled = self._filled, self.life.stage in FILLED
        if self._filled and not before:
            self.generation += 1
        if self.replacement is not None:
            effects += self._replace(self.replacement, now)
        surplus = len(self._members) - self._target()
        if surplus > 0:
            for wid in sorted(self._members, key=self._least_missed)[:surplus]:
                effects += self._retire(wid, now)
        while len(self._members) < self._target() and self._next_spawn <= now:
            effects += self._add(now)
            if self.config.warmup_delay > 0:
                self._next_spawn = now + self.config.warmup_delay
        return effects

    def _target(self) -> int:
        if self.life.stage not in FILLED:
            return 0
        if self.replacement is None or self.replacement.sequential:
            return self.count
        return self.count + len(self.replacement.old)

    def _is_waiting_to_spawn(self) -> bool:
        if self._is_between_turns():
            return True
        return len(self._members) < self._target()

    def _stands(self) -> bool:
        """Every position is filled, or has had its chance to be."""
        if self._is_waiting_to_spawn() or any(self._counts[state] for state in RISING):
            return False
        return bool(self._counts[State.READY]) or not self._members

    def _is_between_turns(self) -> bool:
        """A sequential reload pauses for warmup_delay between two workers."""
        turn = self.replacement
        return turn is not None and turn.sequential and turn.current is None and bool(turn.old)

    def _has_ended(self, slot: Slot) -> bool:
        return slot.state in FELL or slot.why in UNASKED

    def _least_missed(self, wid: int) -> tuple[bool, float]:
        slot = self.slots[wid]
        return slot.state is State.READY, slot.started

    def _add(self, now: float) -> Effects:
        if self._leaving:
            # its old process has to be gone first: otherwise there would be one too many
            wid, _ = self._leaving.popitem()
        else:
            wid = self._new_wid()
            self.slots[wid] = Slot(wid, since=now)
            self._counts[State.EMPTY] += 1
        self._members[wid] = None
        if self.replacement is not None:
            self.replacement.fresh.add(wid)
        return self._step(wid, core.WantUp(), now)

    def _new_wid(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._highest += 1
        return self._highest

    def _retire(self, wid: int, now: float) -> Effects:
        del self._members[wid]
        self._leaving[wid] = None
        if self.replacement is not None:
            self.replacement.old.pop(wid, None)
            self.replacement.fresh.discard(wid)
        return self._step(wid, core.WantDown(), now)

    def _step(self, wid: int, event: core.Event, now: float) -> Effects:
        before = self.slots[wid]
        after, effects = core.step(before, event, self.config, now)
        if after is not before:
            self._put(before, after)
        return [(wid, effect) for effect in effects]

    def _put(self, before: Slot, after: Slot) -> None:
        wid = after.wid
        self._counts[before.state] -= 1
        if self.replacement is not None and wid in self.replacement.fresh:
            self._look_at_fresh(self.replacement, after)
        if after.state is State.EMPTY and not after.wanted:
            del self.slots[wid]
            self._members.pop(wid, None)
            self._leaving.pop(wid, None)
            heapq.heappush(self._free, wid)
            return
        self._counts[after.state] += 1
        self.slots[wid] = after
        # a new state may have the deadline that has just passed: with a grace of 0, say
        new = (after.state, after.deadline) != (before.state, before.deadline)
        if after.deadline is not None and new:
            heapq.heappush(self._deadlines, (after.deadline, wid))

    # -- replacing ------------------------------------------------

    def _look_at_fresh(self, turn: Replacement, slot: Slot) -> None:
        """Take note of a new worker that stands, or does not."""
        if slot.why in TURNED_AWAY:
            turn.fallen = slot
        elif slot.state is State.STOPPING:
            return  # what it looks back on is the life of the one before
        elif slot.state in FELL or slot.short_lives:
            turn.fallen = slot
        elif slot.state is State.READY:
            turn.fresh.discard(slot.wid)
            turn.stood += 1

    def _replace(self, turn: Replacement, now: float) -> Effects:
        """Go one step further with a reload, or give it up when the new workers do not stand."""
        if turn.fallen is not None:
            return self._give_up(turn, turn.fallen, now)
        effects = self._take_turn(turn, now) if turn.sequential else self._let_go(turn, now)
        if not turn.old and not turn.fresh:
            self.replacement = None
        return effects

    def _let_go(self, turn: Replacement, now: float) -> Effects:
        """As many of the old as are not needed beside the new ones that stand."""
        effects: Effects = []
        spare = min(turn.stood + len(turn.old) - self.count, len(turn.old))
        if spare > 0:
            for wid in sorted(turn.old, key=self._least_missed)[:spare]:
                effects += self._retire(wid, now)
        return effects

    def _take_turn(self, turn: Replacement, now: float) -> Effects:
        if turn.current is not None:
            if turn.current in turn.fresh:
                return []
            turn.current = None
            self._next_spawn = now + self.config.warmup_delay
        if not turn.old or self._next_spawn > now:
            return []
        turn.current = next(iter(turn.old))
        del turn.old[turn.current]
        turn.fresh.add(turn.current)
        return self._step(turn.current, core.Terminate(), now)

    def _give_up(self, turn: Replacement, fallen: Slot, now: float) -> Effects:
        self.trouble = fallen.last or "it ended"
        self.replacement = None
        effects: Effects = []
        if not turn.sequential:
            for wid in turn.fresh:
                effects += self._retire(wid, now)
        return effects
