"""circusd is away, or comes back: pages say so, and what to do."""

from __future__ import annotations

import signal
from urllib.parse import urlencode

import pytest

from tests.support import wait_until
from tests.web.console import Console
from tests.web.markup import Markup


@pytest.fixture
def orphan(console: Console) -> Console:
    """One whose circusd was there, and is not any more."""
    console.login("admin")
    assert "2 of 2" in console.get("/").text
    console.daemon.process.send_signal(signal.SIGTERM)
    console.daemon.process.wait(timeout=30)
    wait_until(lambda: 'data-kind="stale"' in console.get("/").text)
    return console


def test_the_last_that_was_heard_stays(orphan: Console) -> None:
    markup = Markup(orphan.get("/").text)
    assert "web" in markup.one("tbody", role="rowgroup").words
    assert "Stale since" in markup.one("p", id="live").words
    assert "hidden" not in markup.one("p", id="stale").attributes
    assert "circusd does not answer" in markup.one("p", id="daemons").words


def test_pages_that_have_to_ask_say_what_to_do(orphan: Console) -> None:
    for path in ("/watchers/web", "/sockets", "/events"):
        answer = orphan.get(path)
        assert answer.status == 503
        text = Markup(answer.text).one("main").words
        assert "circusd does not answer" in text
        assert "systemctl start circusd" in text
    assert "systemctl start circusd" in orphan.get("/connect").text


def test_a_button_says_why_nothing_happens(orphan: Console) -> None:
    answer = orphan.post("/watchers/web/stop", Accept="application/json")
    (message,) = answer.json["messages"]
    assert message["kind"] == "refused"
    assert orphan.daemon.endpoint in message["text"]


def test_of_several_that_are_selected_the_first_tells_why_for_all(orphan: Console) -> None:
    body = urlencode({"csrf": orphan.csrf(), "verb": "stop", "names": ["web", "off"]}, doseq=True)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": orphan.origin}
    answer = orphan.ask("POST", "/act", body, {**form, "Accept": "application/json"})
    (message,) = answer.json["messages"]
    assert message["text"].startswith("web: ")
    assert orphan.daemon.endpoint in message["text"]


def test_before_circusd_was_ever_heard_of_there_is_nothing_to_show(orphan: Console) -> None:
    orphan.stop()
    orphan.begin()
    answer = orphan.get("/")
    assert answer.status == 503
    text = Markup(answer.text).one("main").words
    assert "No circusd listens" in text
    assert "systemctl start circusd" in text


def test_it_goes_on_by_itself(orphan: Console) -> None:
    orphan.daemon.begin()
    orphan.daemon.wait()
    wait_until(lambda: 'data-kind="live"' in orphan.get("/").text)
    wait_until(lambda: orphan.get("/watchers/web").status == 200)
