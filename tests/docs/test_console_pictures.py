"""docs/pictures has a picture of each page of the console in each way, and none is heavy."""

from __future__ import annotations

import json

import pytest

from docs.pictures import console

MOST = 150_000
"""Bytes of one."""
FILES = [console.file(one, way) for one in console.PICTURES for way in console.WAYS]


@pytest.mark.parametrize("way", console.WAYS)
@pytest.mark.parametrize("one", console.PICTURES, ids=lambda one: str(one.name))
def test_a_picture_is_there_and_light(one: console.Picture, way: str) -> None:
    data = console.file(one, way).read_bytes()
    width, height, pixels = console.WAYS[way]
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    size = [int.from_bytes(data[at : at + 4]) for at in (16, 20)]
    assert size == [width * pixels, height * pixels]
    assert len(data) < MOST


def test_no_other_picture_lies_there() -> None:
    assert sorted(console.FOLDER.glob("*.png")) == sorted(FILES)


def test_what_each_shows_is_known() -> None:
    assert [*json.loads(console.WORDS.read_text("utf-8"))] == [one.name for one in console.PICTURES]
