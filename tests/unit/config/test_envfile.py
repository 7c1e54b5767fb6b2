"""What the lines of an env_file mean, and which of them mean nothing."""

from __future__ import annotations

import pytest

from circus.config import envfile
from circus.exc import ConfigError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", ""),
        ("two words  ", "two words"),
        (r"kept\ ", "kept "),
        (r"C:\\new", r"C:\new"),
        ("joined \\\nhere", "joined here"),
        ("  'one' \"two\"three", "onetwothree"),
        (r"'nothing \$ \" is special'", r"nothing \$ \" is special"),
        (r'"a \"word\", \$HOME, \n"', r'a "word", $HOME, \n'),
        ('"over\ntwo"', "over\ntwo"),
        ('"over\\\none"', "overone"),
        ("'a' # no comment", "a# no comment"),
    ],
)
def test_a_value(written: str, value: str) -> None:
    assert envfile.parse(f"A={written}\nB=1\n") == {"A": value, "B": "1"}


def test_comments_and_empty_lines() -> None:
    assert envfile.parse("# A=1\r\n\r\n ; B=2\r\nC=3\r\n") == {"C": "3"}


def test_every_mistake_is_told_at_its_line() -> None:
    text = "export A=1\n2=3\nno sign\nB=x\0y\nC=fine\nD='from here\non"
    with pytest.raises(ConfigError) as caught:
        envfile.parse(text)
    assert [str(problem) for problem in caught.value.problems] == [
        "line 1: 'export A=1' is not NAME=value",
        "line 2: '2=3' is not NAME=value",
        "line 3: 'no sign' is not NAME=value",
        "line 4: B: a NUL byte cannot be part of it",
        "line 6: the quote ' is never closed",
    ]
