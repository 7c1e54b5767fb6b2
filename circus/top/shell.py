"""The terminal: draws what there is to see, reads keys, is left as it was whatever happens."""

from __future__ import annotations

import contextlib
import curses
import locale
import os
import queue
import select
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from circus.top.keys import ends, press
from circus.top.screen import Size, page_of, render
from circus.top.state import State, arrived, silenced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from circus.top.feed import Feed

ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
ESCAPE_MS = 50
"""How long a terminal may take for the rest of a key that begins with Esc."""
NAMES = {
    curses.KEY_UP: "up", curses.KEY_DOWN: "down", curses.KEY_PPAGE: "pgup",
    curses.KEY_NPAGE: "pgdn", curses.KEY_HOME: "home", curses.KEY_END: "end",
    curses.KEY_ENTER: "enter", curses.KEY_BACKSPACE: "backspace",
    **{curses.KEY_F0 + number: f"f{number}" for number in range(1, 13)},
}  # fmt: skip
CHARACTERS = {"\n": "enter", "\r": "enter", "\x1b": "esc", "\x7f": "backspace", "\b": "backspace"}
REDRAW = "\x0c"
GONE = select.POLLHUP | select.POLLERR
"""What is said of a terminal that is there no more."""


def unfit() -> str | None:
    """Why nothing can be drawn on the terminal that standard output is."""
    name = os.environ.get("TERM", "")
    with contextlib.suppress(curses.error):
        curses.setupterm(name, sys.stdout.fileno())
        if curses.tigetstr("cup"):
            return None
        return f"a terminal of the kind {name!r} cannot be drawn on"
    return f"terminals of the kind {name!r} ($TERM) are not known here"


class Ended(Exception):
    """A signal asks for the end."""


class Shell:
    """One session at the terminal that standard input and output are; for the main thread."""

    def __init__(self, state: State, *, color: bool) -> None:
        self._state = state
        self._color = color
        self._reading, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._attributes: dict[str, int] = {}
        with contextlib.suppress(locale.Error):  # one that is not installed
            locale.setlocale(locale.LC_ALL, "")
        self._plain = "utf" not in locale.nl_langinfo(locale.CODESET).lower()

    def wake(self) -> None:
        """There are news. From any thread, and from signals."""
        with contextlib.suppress(BlockingIOError):  # it is woken already
            os.write(self._writing, b"\0")

    def run(self, feed: Feed) -> int:
        """Until somebody ends it. Returns the exit status."""
        os.environ.setdefault("ESCDELAY", str(ESCAPE_MS))
        over = contextlib.suppress(KeyboardInterrupt, Ended)
        with self._signals(), over, self._terminal() as window:
            self._loop(window, feed)
        return 0

    def _loop(self, window: curses.window, feed: Feed) -> None:
        waiting = select.poll()
        waiting.register(sys.stdin, select.POLLIN)
        waiting.register(self._reading, select.POLLIN)
        while True:
            self._draw(window)
            if any(event & GONE for _, event in waiting.poll()):
                return
            self._take_news(feed)
            for key in self._keys(window):
                if ends(self._state, key):
                    return
                self._state, send = press(self._state, key)
                if send is not None:
                    feed.send(send)
                    self._state = replace(self._state, notice=f"{send.words} …")

    def _take_news(self, feed: Feed) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 4096)
        with contextlib.suppress(queue.Empty):
            while True:
                news = feed.news.get_nowait()
                if news.notice:
                    self._state = replace(self._state, notice=news.notice)
                elif news.snapshot is not None:
                    self._state = arrived(self._state, news.snapshot, news.source)
                else:
                    self._state = silenced(self._state, news.source)

    # -- the terminal ------------------------------------------------

    @contextlib.contextmanager
    def _terminal(self) -> Iterator[curses.window]:
        """As `curses.wrapper`, but for its colours: where nobody wants any it leaves them alone."""
        window = curses.initscr()
        try:
            curses.noecho()
            curses.cbreak()
            window.keypad(True)  # noqa: FBT003 curses takes it so
            window.nodelay(True)  # noqa: FBT003
            with contextlib.suppress(curses.error):  # there are terminals that cannot
                curses.curs_set(0)
            self._choose_colors()
            yield window
        finally:
            with contextlib.suppress(curses.error):
                curses.curs_set(1)
            window.keypad(False)  # noqa: FBT003
            with contextlib.suppress(curses.error):  # the terminal is gone
                curses.endwin()

    def _choose_colors(self) -> None:
        self._attributes = {"title": curses.A_BOLD, "chosen": curses.A_REVERSE}
        if self._color and curses.has_colors():
            curses.start_color()
            curses.use_default_colors()
            colors = (curses.COLOR_RED, curses.COLOR_GREEN, curses.COLOR_YELLOW)
            for number, (style, color) in enumerate(
                zip(("bad", "good", "busy"), colors, strict=True), 1
            ):
                curses.init_pair(number, color, -1)
                self._attributes[style] = curses.color_pair(number)

    def _draw(self, window: curses.window) -> None:
        lines, columns = window.getmaxyx()
        size = Size(columns, lines, self._plain)
        self._state = replace(self._state, page=page_of(self._state, size))
        window.erase()
        for number, line in enumerate(render(self._state, size)):
            window.move(number, 0)
            for span in line:
                # the very last place of a terminal cannot be written to without an error
                with contextlib.suppress(curses.error):
                    window.addstr(span.text, self._attributes.get(span.style, curses.A_NORMAL))
        window.refresh()

    def _keys(self, window: curses.window) -> Iterator[str]:
        while True:
            try:
                key = window.get_wch()
            except curses.error:  # no more
                return
            if key == REDRAW:
                window.redrawwin()
            elif isinstance(key, int):
                if key in NAMES:
                    yield NAMES[key]
            else:
                yield CHARACTERS.get(key, key)

    # -- signals ------------------------------------------------

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        handlers: dict[int, Callable[[int, FrameType | None], None]] = {
            **dict.fromkeys(ENDS, _end),
            signal.SIGWINCH: self._on_resize,
            signal.SIGTSTP: self._on_suspend,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_resize(self, _number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError, curses.error):
            columns, lines = os.get_terminal_size()
            curses.resizeterm(lines, columns)
        self.wake()

    def _on_suspend(self, _number: int, _frame: FrameType | None) -> None:
        """Give the terminal back, and take it again when this goes on."""
        curses.endwin()
        os.kill(os.getpid(), signal.SIGSTOP)
        curses.doupdate()
        self._on_resize(signal.SIGWINCH, None)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Ended
