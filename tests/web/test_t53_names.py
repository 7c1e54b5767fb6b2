"""T53: whatever a watcher is called, it is meant, and no other; and its name is only text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from circus.web.names import to_path, watcher_path
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.web.conftest import Open

SPECIAL = """
[watcher:web]
cmd = sleep 3600
[watcher:w*]
cmd = sleep 3600
[watcher:q"u<b>'x]
cmd = sleep 3600
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/output.log
"""
ODD = "q\"u<b>'x"


def test_t53_a_name_that_is_a_pattern_means_one_watcher_on_pages_too(consoles: Open) -> None:
    console = consoles(watchers=SPECIAL).login("operate")
    assert console.post(watcher_path("w*", "stop")).status == 303
    wait_until(lambda: console.daemon.call("status", name="w*")["status"] == "stopped")
    console.post("/act", {"verb": "restart", "names": "w*"})
    console.post(watcher_path("*", "stop"))
    wait_until(lambda: console.daemon.call("status", name="w*")["status"] == "active")
    pids = console.daemon.call("list", name="web")["pids"]
    assert console.daemon.call("status", name="web")["status"] == "active"
    console.post(watcher_path("w*", "restart"))
    assert console.daemon.call("list", name="web")["pids"] == pids


def test_t53_markup_in_a_name_is_text_and_no_part_of_a_header(consoles: Open) -> None:
    console = consoles(watchers=SPECIAL).login("admin")
    for rest in ("", "logs", "options"):
        answer = console.get(watcher_path(ODD, rest) if rest else watcher_path(ODD))
        assert answer.status == 200
        assert "<b>'x" not in answer.text
    raw = console.get(f"/api/v1/watchers/{to_path(ODD)}/logs/raw")
    assert raw.headers["Content-Disposition"] == 'attachment; filename="q_u<b>\'x.log"'


def test_t53_a_page_links_back_to_itself_and_nowhere_else(consoles: Open) -> None:
    console = consoles(watchers=SPECIAL + "[watcher:a?b#c%41]\ncmd = sleep 3600\n").login("read")
    for path in (watcher_path("a?b#c%41"), watcher_path("w*", "options") + "?x=1"):
        answer = console.get(path)
        assert answer.status == 200
        back = re.findall(r'href="([^"]*)">Look again', answer.text)
        assert console.get(back[0]).text.count("<h1>") == 1
        assert back == [path]
    for path in ("/%5cevil.example", "//evil.example", "/%2f/evil.example", "/%5c%5cevil.example"):
        for back in re.findall(r'href="([^"]*)">Look again', console.get(path).text):
            assert re.match(r"/(?![/\\])", back), path
