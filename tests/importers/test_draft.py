"""What a file of ours cannot hold never gets into one half."""

from __future__ import annotations

import pytest

from circus.importers.draft import Draft, Unfit


@pytest.mark.parametrize(
    ("key", "value"),
    [("A", " x "), ("A", "x\n\ny"), ("A", "x\n"), ("=A", "x"), ("[A]", "x"), ("A=B", "x")],
)
def test_what_would_be_read_as_something_else_is_not_written(key: str, value: str) -> None:
    draft = Draft()
    with pytest.raises(Unfit, match=r"^a configuration file cannot hold it as it is$"):
        draft.put("env:web", key, value)
    assert draft.groups() == []


def test_what_looks_like_another_section_or_a_comment_stays_a_value() -> None:
    draft = Draft()
    draft.put("env:web", "A", "x\n[y]")
    draft.put("env:web", "B", "x ; y")
    assert draft.groups() == [
        ["[env:web]"],
        ["A = x", "    [y]"],
        ["B =", "    x ; y"],
    ]
