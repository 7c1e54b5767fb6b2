"""From options to sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from circus.config.mapping import watcher_from_mapping
from circus.exc import CircusError
from circus.stream import FileStream, QueueStream, StdoutStream, get_stream
from circus.stream.conf import survey_streams

if TYPE_CHECKING:
    from pathlib import Path


class Own:
    """A user's stream."""

    def __init__(self, colour: str, **_options: str) -> None:
        self.colour = colour

    def __call__(self, record: dict[str, Any]) -> None: ...


def test_nothing_asked_is_nothing_made() -> None:
    assert get_stream(None) is None
    assert get_stream({}) is None


@pytest.mark.parametrize("prefix", ["", "circus.stream."])
def test_bare_and_dotted_names(prefix: str) -> None:
    options = {"refresh_time": "0.3"}
    assert isinstance(get_stream({"class": f"{prefix}QueueStream", **options}), QueueStream)
    assert isinstance(get_stream({"class": f"{prefix}StdoutStream", **options}), StdoutStream)


def test_a_filename_alone_is_a_file(tmp_path: Path) -> None:
    sink = get_stream({"filename": str(tmp_path / "out"), "max_bytes": "5", "backup_count": 2})
    assert isinstance(sink, FileStream)
    assert (sink.max_bytes, sink.backup_count) == (5, 2)
    sink.close()


def test_a_class_of_the_user_gets_the_other_options() -> None:
    sink = get_stream({"class": f"{__name__}.Own", "colour": "red", "other": "1"})
    assert isinstance(sink, Own)
    assert sink.colour == "red"


def test_a_ready_stream_is_taken_as_it_is() -> None:
    sink = QueueStream()
    assert get_stream({"stream": sink}) is sink


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"time_format": "%H"}, "a stream needs a class or a filename"),
        (
            {"class": "NoStream"},
            "no stream class 'NoStream'; shipped are FancyStdoutStream, FileStr",
        ),
        ({"class": "no.such.Stream"}, "cannot import 'no.such.Stream'"),
        ({"class": "os.sep"}, "stream class 'os.sep' is no class"),
        ({"class": f"{__name__}.Own"}, "cannot make stream .* 'colour'"),
        ({"class": "QueueStream", "limit_bytes": "big"}, "cannot make stream 'QueueStream'"),
        ({"class": "datetime.timezone.utc.utcoffset"}, "cannot make stream"),
        ({"class": "types.SimpleNamespace"}, "cannot take output"),
        ({"stream": 5}, "the stream cannot take output"),
        ({"class": "TimedRotatingFileStream"}, "rotate_when must be one of S, M, H, D, MIDNIGHT"),
        (
            {"class": "TimedRotatingFileStream", "rotate_when": "H", "utc": "perhaps"},
            "utc: 'perhaps' is not a boolean",
        ),
        (
            {"class": "TimedRotatingFileStream", "rotate_when": "H", "rotate_interval": "0"},
            "rotate_interval must be 1 or more",
        ),
        ({"filename": "/nowhere/at/all"}, "cannot write to '/nowhere/at/all'"),
    ],
)
def test_what_cannot_be_made_is_told_in_words(conf: dict[str, object], words: str) -> None:
    with pytest.raises(CircusError, match=words):
        get_stream(conf)


def test_what_a_class_of_the_user_does_when_it_is_called_is_not_tried() -> None:
    for name, told in ((f"{__name__}.Own", []), ("no.such.Stream", ["cannot import"])):
        config = watcher_from_mapping("w", {"cmd": "x", "stdout_stream": {"class": name}})
        found = survey_streams([config], lambda section, key: f"{section} {key}", None)
        assert [one.where for one in found] == ["watcher:w stdout_stream.class"] * len(told)
        assert all(words in str(one) for words, one in zip(told, found, strict=True))
