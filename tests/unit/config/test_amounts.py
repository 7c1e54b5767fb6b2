"""Limits as they are written: sizes, parts of a processor, tasks, weights."""

from __future__ import annotations

import pytest

from circus.config import kinds


@pytest.mark.parametrize(
    ("kind", "text", "value", "written"),
    [
        (kinds.SIZE_IN_BYTES, "1000", 1000, "1000"),
        (kinds.SIZE_IN_BYTES, "512M", 512 << 20, "512M"),
        (kinds.SIZE_IN_BYTES, " 2048mb ", 2 << 30, "2G"),
        (kinds.SIZE_IN_BYTES, 1536 << 10, 1536 << 10, "1536K"),
        (kinds.SIZE_IN_BYTES, "Infinity", None, "infinity"),
        (kinds.PROCESSOR, "50%", 50.0, "50%"),
        (kinds.PROCESSOR, "250.5 %", 250.5, "250.5%"),
        (kinds.PROCESSOR, 200, 200.0, "200%"),
        (kinds.PROCESSOR, "infinity", None, "infinity"),
        (kinds.TASKS, "64", 64, 64),
        (kinds.TASKS, None, None, "infinity"),
        (kinds.WEIGHT, "10000", 10000, 10000),
    ],
)
def test_what_may_be_given(kind: kinds.Kind, text: object, value: object, written: object) -> None:
    assert kind.parse(text) == value
    assert kind.format(value) == written


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (kinds.SIZE_IN_BYTES, "much", "'much' is not a size such as 512M or 2G, nor infinity"),
        (kinds.SIZE_IN_BYTES, "-1", "'-1' is not a size such as 512M or 2G, nor infinity"),
        (kinds.SIZE_IN_BYTES, "1.5G", "'1.5G' is not a size such as 512M or 2G, nor infinity"),
        (kinds.SIZE_IN_BYTES, "50%", "'50%' is not a size such as 512M or 2G, nor infinity"),
        (kinds.SIZE_IN_BYTES, True, "True is not a size such as 512M or 2G, nor infinity"),
        (kinds.SIZE_IN_BYTES, "0", "'0' is not a size that any machine has (see infinity)"),
        (kinds.SIZE_IN_BYTES, "9999999T", "'9999999T' is not a size that any machine has"),
        (kinds.PROCESSOR, "50", "'50' is not a part of one processor such as 50% or 200%"),
        (kinds.PROCESSOR, "0.5%", "'0.5%' is below 1%, the least that can be had"),
        (kinds.TASKS, "0", "0 is below 1: no worker could run"),
        (kinds.TASKS, "few", "'few' is not a whole number"),
        (kinds.WEIGHT, "0", "0 is not between 1 and 10000"),
    ],
)
def test_what_may_not(kind: kinds.Kind, text: object, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        kind.parse(text)
    assert str(caught.value).startswith(said)
