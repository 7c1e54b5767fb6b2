"""When circusd is to be asked what: often while somebody looks, seldom otherwise. Pure.

Moments are monotonic seconds.
"""

from __future__ import annotations

from enum import Enum

LOOKED = 15.0
"""Seconds after which nobody looks any more who has shown no interest."""
PING = 1.0
"""Seconds without a word from circusd after which it is asked whether it is there."""
MINUTE = 60.0
LISTENED = 3.0
"""Seconds of each minute in which statistics are heard when nobody looks: one round, and a chance.

The first round after a pause tells the mean since the last, so history has no gap.
"""
SHARE = 5.0
"""So many times as long as it needed for an answer, circusd is left alone with that question."""
BREATH = 0.1
"""Seconds between two questions at least, whatever happens."""


class Question(Enum):
    """What is asked: seconds between two times when somebody looks, and when nobody does."""

    WHY = 2.0, 10.0
    FIGURES = 2.0, 30.0
    """Only where no statistics are published."""
    REST = 10.0, 60.0
    """What changes seldom: sockets, the version, where statistics are."""


class Pace:
    """What is due. `look` may be called from any thread."""

    def __init__(self) -> None:
        self._looked_at = -LOOKED
        self._asked: dict[Question, float] = {}
        self._not_before: dict[Question, float] = {}
        self._heard = 0.0

    def look(self, now: float) -> bool:
        """Somebody looks; whether that is news."""
        before, self._looked_at = self._looked_at, now
        return now - before >= LOOKED

    def looked(self, now: float) -> bool:
        """Whether somebody looks."""
        return now - self._looked_at < LOOKED

    def listens(self, now: float) -> bool:
        """Whether statistics are to be heard."""
        return self.looked(now) or now % MINUTE < LISTENED

    def begin(self) -> None:
        """Another circusd: nothing has been asked yet."""
        self._asked.clear()
        self._not_before.clear()

    def soon(self, question: Question) -> None:
        """Something has happened that changes the answer."""
        self._asked.pop(question, None)

    def due(self, question: Question, now: float) -> bool:
        """Whether to ask now."""
        return now >= self.when(question, now)

    def when(self, question: Question, now: float) -> float:
        """When to ask next, as far as is known now."""
        often, seldom = question.value
        last = self._asked.get(question)
        wanted = now if last is None else last + (often if self.looked(now) else seldom)
        return max(wanted, self._not_before.get(question, 0.0))

    def answered(self, question: Question, asked: float, now: float) -> None:
        """circusd needed from `asked` until `now`."""
        self._asked[question] = asked
        self._not_before[question] = now + max(BREATH, SHARE * (now - asked))
        self.heard(now)

    def heard(self, now: float) -> None:
        """There was a sign of life."""
        self._heard = now

    def silent(self, now: float) -> bool:
        """Whether to ask for a sign of life; nobody minds when nobody looks."""
        return self.looked(now) and now - self._heard >= PING

    def rest(self, now: float) -> float:
        """Seconds until something may be due, as far as is known now."""
        due = [self.when(question, now) for question in (Question.WHY, Question.REST)]
        if self.looked(now):
            due.append(self._heard + PING)
        else:
            passed = now % MINUTE
            due.append(now - passed + (LISTENED if passed < LISTENED else MINUTE))
        return max(0.0, min(due) - now)
