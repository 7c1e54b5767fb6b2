"""What a watcher writes, followed in a real browser."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Chromium
from tests.support import wait_until
from tests.web.conftest import Open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.web.console import Console

# what is written into the FIFO, it writes
ECHO = """
[watcher:echo]
cmd = sh -c 'mkfifo FOLDER/said; echo "ready 1"; exec cat 0<>FOLDER/said'
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/echo.log
stdout_stream.time_format = %Y-%m-%d %H:%M:%S
"""
LAST = "#log li:last-child"


@pytest.fixture
def echo(consoles: Open) -> Console:
    """One whose watcher `echo` writes what it is told."""
    console = consoles(watchers=ECHO)
    wait_until(lambda: console.daemon.file("echo.log"))
    return console


@pytest.fixture
def say(echo: Console) -> Iterator[Callable[[str], None]]:
    """Have it write lines."""
    with (echo.daemon.folder / "said").open("w", encoding="utf-8", newline="") as said:

        def say(text: str) -> None:
            said.write(f"{text}\n")
            said.flush()

        yield say


def test_lines_are_followed_held_and_filtered(
    page: Chromium, echo: Console, say: Callable[[str], None]
) -> None:
    page.login(echo, path="/watchers/echo/logs")
    page.shows("ready 1", "#log")
    say("one apple")
    page.shows("one apple", LAST)
    page.click("#pause")
    say("two pears\nthree apples")
    page.shows("Go on (2 new)", "#pause")
    page.shows("one apple", LAST)
    page.press("p")
    page.shows("three apples", LAST)
    page.fill("#filter", "APPLE")
    page.shows("2 of 4 lines", "#count")
    assert "pears" not in page.text("#log")
    say("four cherries\nfive apples")
    page.shows("five apples", LAST)
    assert "cherries" not in page.text("#log")
    page.until(lambda: "filter=APPLE" in page.path)


def test_who_scrolls_back_is_left_there(
    page: Chromium, echo: Console, say: Callable[[str], None]
) -> None:
    page.login(echo, path="/watchers/echo/logs")
    say("\n".join(f"line {number}" for number in range(300)))
    page.shows("line 299", LAST)
    page.until(lambda: page.script(f"return {AT_END}"))
    page.script("document.getElementById('log').scrollTop = 0")
    page.shows("Go on", "#pause")
    say("the latest")
    page.shows("Go on (1 new)", "#pause")
    assert not page.script(f"return {AT_END}")
    page.script("document.getElementById('log').scrollTop = 1e6")
    page.shows("the latest", LAST)
    page.shows("Pause", "#pause")


AT_END = "log.scrollHeight - log.scrollTop - log.clientHeight < 30"


def test_a_time_is_jumped_to(page: Chromium, echo: Console, say: Callable[[str], None]) -> None:
    page.login(echo, path="/watchers/echo/logs")
    say("ERROR: before")
    page.shows("ERROR: before", LAST)
    page.shows("err", f"{LAST} .severity")
    then = int(time.time()) + 1
    wait_until(lambda: time.time() > then)
    say("after")
    page.shows("after", LAST)
    page.open(f"/watchers/echo/logs?since={datetime.fromtimestamp(then, UTC):%Y-%m-%dT%H:%M:%SZ}")
    page.shows("after", "#log li:first-child")
    page.shows("Go on", "#pause")
    page.click("//main//a[.='To the end']")
    page.shows("ERROR: before", "#log")


def test_t53_lines_are_text(page: Chromium, echo: Console, say: Callable[[str], None]) -> None:
    page.login(echo, path="/watchers/echo/logs")
    say("\x1b[31mred\x1b]0;title\x07 <img src=x onerror='pwned=1'><script>pwned=1</script>")
    page.shows(r"\x1b[31mred\x1b]0;title\x07 <img src=x", LAST)
    assert page.count("#log :not(li, span, time)") == 0
    page.open("/watchers/echo/logs")
    page.shows(r"\x1b[31mred\x1b]0;title\x07 <img src=x", LAST)
    assert page.count("#log :not(li, span, time)") == 0
    assert page.script("return typeof pwned") == "undefined"
