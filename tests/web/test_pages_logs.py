"""The page of a watcher's output."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.support import wait_until
from tests.web.conftest import Open
from tests.web.console import Console
from tests.web.markup import Markup

WATCHERS = """
[watcher:web]
cmd = sh -c 'cat FOLDER/lines; exec sleep 3600'
autostart = False
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/out
stderr_stream.class = FileStream
stderr_stream.filename = FOLDER/err
[watcher:silent]
cmd = sleep 3600
"""
LINES = ("plain", "ERROR: <b>markup</b>", "\x1b[31mred\x1b]0;title\x07", "a\ttab")


@pytest.fixture
def console(consoles: Open) -> Console:
    found = consoles(watchers=WATCHERS).login("read")
    (found.daemon.folder / "lines").write_text("\n".join(LINES) + "\n")
    found.daemon.call("start", name="web", waiting=True)
    wait_until(lambda: "tab" in found.daemon.file("out"))
    return found


def lines(console: Console, query: str = "") -> list[str]:
    markup = Markup(console.get(f"/watchers/web/logs{query}").text)
    return ["".join(one.text) for one in markup.all("span", class_="text")]


def test_t53_lines_are_text_and_nothing_else(console: Console) -> None:
    assert lines(console) == [
        "plain",
        "ERROR: <b>markup</b>",
        r"\x1b[31mred\x1b]0;title\x07",
        "a\ttab",
    ]
    page = console.get("/watchers/web/logs")
    assert b"\x1b" not in page.body
    assert Markup(page.text).one("li", data_severity="err").words.startswith("err ERROR")


def test_lines_are_chosen_by_the_address(console: Console) -> None:
    assert lines(console, "?filter=MARKUP") == ["ERROR: <b>markup</b>"]
    assert lines(console, "?stream=stderr") == []
    assert "no time" in console.get("/watchers/web/logs?since=yesterday").text


def test_a_script_goes_on_where_the_page_ends(console: Console) -> None:
    log = Markup(console.get("/watchers/web/logs").text).one("ol", id="log")
    cursor = quote(log.attributes["data-cursor"])
    with (console.daemon.folder / "out").open("a") as out:
        out.write("one more\n")
    answer = console.get(f"/api/v1/watchers/web/logs?cursor={cursor}", Accept="application/json")
    assert [one["text"] for one in json.loads(answer.text)["lines"]] == ["one more"]


def test_where_nothing_can_be_read_it_says_what_to_do(console: Console) -> None:
    text = Markup(console.get("/watchers/silent/logs").text).one("main").words
    assert "the output of silent is in no file and not in the journal" in text
    assert "stdout_stream.class = FileStream" in text


def test_all_of_it_can_be_fetched(console: Console) -> None:
    link = Markup(console.get("/watchers/web/logs").text).one("a", download="")
    assert b"\x1b[31mred" in console.get(link.attributes["href"]).body
