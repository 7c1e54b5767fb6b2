"""What each answer of each hook means: the whole table."""

from __future__ import annotations

import pytest

from circus.config.rules import HOOKS
from circus.core.verdict import Answer, judge

YES = Answer(agrees=True)
NO = Answer()
NOTHING = Answer(nothing=True)
ERROR = Answer(error="it broke")
LATER = Answer(error="not now", later=True)

STRICT = {"before_start", "after_start", "before_spawn", "after_spawn"}


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("hook", HOOKS)
def test_the_table(hook: str, *, ignore: bool) -> None:
    refusals = {
        name: judge(hook, answer, ignore=ignore).refusal
        for name, answer in (("yes", YES), ("no", NO), ("nothing", NOTHING), ("error", ERROR))
    }
    vetoes = hook in STRICT or hook == "before_signal"
    assert refusals == {
        "yes": "",
        "no": f"hook {hook} returned no" if vetoes else "",
        "nothing": f"hook {hook} returned nothing" if vetoes else "",
        "error": f"hook {hook} failed: it broke" if hook in STRICT and not ignore else "",
    }


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("hook", HOOKS)
def test_later_is_no_failure_where_it_can_be_asked_again(hook: str, *, ignore: bool) -> None:
    verdict = judge(hook, LATER, ignore=ignore)
    assert verdict.later == (hook in STRICT)
    assert verdict.refusal == (
        f"hook {hook} asks to try again later: not now" if hook in STRICT else ""
    )
