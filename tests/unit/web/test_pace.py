"""When circusd is asked."""

from __future__ import annotations

from circus.web.pace import BREATH, LISTENED, LOOKED, PING, Pace, Question


def test_often_while_somebody_looks_and_seldom_otherwise() -> None:
    pace = Pace()
    assert pace.due(Question.WHY, 100.0)
    pace.answered(Question.WHY, 100.0, 100.0)
    assert not pace.due(Question.WHY, 109.0)
    assert pace.due(Question.WHY, 110.0)
    assert pace.look(102.0)
    assert not pace.look(103.0)
    assert pace.due(Question.WHY, 102.0)
    assert not pace.looked(103.0 + LOOKED)


def test_at_once_when_something_happened_but_with_a_pause() -> None:
    pace = Pace()
    pace.answered(Question.WHY, 100.0, 100.01)
    pace.soon(Question.WHY)
    assert not pace.due(Question.WHY, 100.02)
    assert pace.due(Question.WHY, 100.01 + BREATH)


def test_who_needs_long_for_an_answer_is_left_alone_for_longer() -> None:
    pace = Pace()
    pace.answered(Question.WHY, 100.0, 101.0)
    pace.soon(Question.WHY)
    assert not pace.due(Question.WHY, 105.9)
    assert pace.due(Question.WHY, 106.0)


def test_a_sign_of_life_is_asked_for_when_somebody_looks() -> None:
    pace = Pace()
    pace.heard(100.0)
    assert not pace.silent(105.0)
    pace.look(105.0)
    assert pace.silent(105.0)
    pace.heard(105.0)
    assert not pace.silent(105.0)
    assert pace.silent(105.0 + PING)


def test_statistics_are_heard_once_a_minute_when_nobody_looks() -> None:
    pace = Pace()
    heard = [second for second in range(120) if pace.listens(second)]
    assert heard == [0, 1, 2, 60, 61, 62]
    pace.look(30.0)
    assert pace.listens(31.0)


def test_it_rests_until_something_is_due() -> None:
    pace = Pace()
    assert pace.rest(100.0) == 0.0
    for question in Question:
        pace.answered(question, 100.0, 100.0)
    assert pace.rest(101.0) == 9.0
    pace.look(100.0)
    assert pace.rest(100.0) == PING
    idle = Pace()
    for question in Question:
        idle.answered(question, 58.0, 58.0)
    assert idle.rest(58.0) == 2.0
    assert idle.rest(60.0) == LISTENED


def test_another_circusd_is_asked_at_once() -> None:
    pace = Pace()
    pace.answered(Question.REST, 100.0, 101.0)
    pace.begin()
    assert pace.due(Question.REST, 101.0)
