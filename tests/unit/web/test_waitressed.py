"""How waitress is set up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from circus.web.settings import Settings
from circus.web.waitressed import CONNECTIONS, STREAM, Lanes, tuned


def channel(path: str) -> SimpleNamespace:
    return SimpleNamespace(requests=[SimpleNamespace(path=path)])


def test_streams_wait_behind_all_else() -> None:
    lanes = Lanes()
    for path in (STREAM, "/", STREAM, "/api/v1/state"):
        lanes.append(channel(path))
    assert len(lanes) == 4
    order = [lanes.popleft().requests[0].path for _ in range(4)]
    assert order == ["/", "/api/v1/state", STREAM, STREAM]
    assert not lanes
    with pytest.raises(IndexError):
        lanes.popleft()


def test_what_is_no_request_waits_with_the_others() -> None:
    lanes = Lanes()
    lanes.append(channel(STREAM))
    lanes.append(SimpleNamespace(requests=[SimpleNamespace(error="400")]))
    assert lanes.popleft().requests[0].error == "400"


def test_there_are_more_threads_than_streams_by_default() -> None:
    """The others are for who asks for a page meanwhile."""
    settings = Settings()
    assert settings.streams <= settings.threads * 2 // 3
    assert tuned(settings)["threads"] == settings.threads
    assert tuned(settings)["connection_limit"] <= CONNECTIONS
