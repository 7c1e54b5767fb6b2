"""What an answer of a hook means: the one rule for all of them."""

from __future__ import annotations

from dataclasses import dataclass

VETOES = frozenset({"before_start", "after_start", "before_spawn", "after_spawn", "before_signal"})
"""Hooks whose "no" counts; what the others return is theirs to know."""
MUST_NOT_FAIL = VETOES - {"before_signal"}
"""Hooks whose failure is a "no", unless it is to be ignored."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call of a hook."""

    agrees: bool = False
    """It returned something that counts as true."""
    nothing: bool = False
    """It returned None: most likely a `return` is missing."""
    error: str = ""
    """What it raised, or why it could not be called; nothing when it returned."""
    later: bool = False
    """It raised RetryLater."""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: with a `refusal` nothing goes on, or when `later` not before a while."""

    refusal: str = ""
    later: bool = False


def judge(hook: str, answer: Answer, *, ignore: bool) -> Verdict:
    """What the answer of a call of `hook` means; `ignore`: its failures are to be passed over."""
    if answer.later and hook in MUST_NOT_FAIL:
        return Verdict(f"hook {hook} asks to try again later: {answer.error}", later=True)
    if answer.error:
        if ignore or hook not in MUST_NOT_FAIL:
            return Verdict()
        return Verdict(f"hook {hook} failed: {answer.error}")
    if answer.agrees or hook not in VETOES:
        return Verdict()
    return Verdict(f"hook {hook} returned {'nothing' if answer.nothing else 'no'}")
