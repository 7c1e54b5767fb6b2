"""What is written is what is read again, for every kind of value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circus.config.kinds import Kind
from tests.property.values import GIVEN, JSON, KINDS, given_for

ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_every_kind_is_tested() -> None:
    assert len(KINDS) > 25
    assert {kind.name for kind in KINDS} == set(GIVEN)


@ALL
@settings(deadline=None)
@given(data=st.data())
def test_parse_after_format_is_identity(kind: Kind, data: st.DataObject) -> None:
    value = kind.parse(data.draw(given_for(kind)))
    written = kind.format(value)
    assert kind.parse(written) == value
    assert kind.parse(json.loads(json.dumps(written))) == value
    assert kind.parse(value) == value


@ALL
@settings(deadline=None)
@given(given=st.text() | JSON | st.binary())
def test_anything_is_read_or_refused_in_words(kind: Kind, given: Any) -> None:
    reason = "-"
    try:
        value = kind.parse(given)
    except ValueError as error:
        reason = str(error)
    else:
        assert kind.parse(kind.format(value)) == value or kind.name == "anything"
    assert reason
    assert "invalid literal" not in reason
