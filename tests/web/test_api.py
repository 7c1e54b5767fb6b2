"""circusd through /api/v1."""

from __future__ import annotations

import json
import signal
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from circus.web.api.openapi import ERRORS
from circus.web.controller import PLACES
from circus.web.names import to_path
from tests.support import child, ready, wait_until
from tests.web.api import Api

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Answer, Console

NAMES = ("a/b", "50%", "50%41", "..", ".", "naïve ☃", "web.1", "a?b#c", "x y", "status", "a%2Fb")
LOGGED = """
[watcher:web]
cmd = sleep 3600
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
"""
STUBBORN = f"""
[watcher:stubborn]
cmd = {child("ignore_term")}
graceful_timeout = 12
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/stubborn.log
"""
STRANGE = "".join(f"[watcher:{name}]\ncmd = sleep 3600\nautostart = False\n" for name in NAMES)


@pytest.fixture
def api(console: Console) -> Api:
    return Api(console)


def problem(answer: Answer) -> dict[str, Any]:
    """What went wrong, after a look at its form."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json
    assert set(found) == {"type", "title", "status", "detail"}
    assert found["status"] == answer.status
    assert answer.status in ERRORS
    assert "\n" not in found["detail"]
    return found


def test_answers_are_those_of_circusd(api: Api, console: Console) -> None:
    (pid, other) = console.daemon.wait_pids("web", 2)
    assert api.ask("/watchers").json["watchers"] == ["off", "web"]
    assert api.ask("/watchers/web").json["watchers"][0]["state"] == "active"
    assert api.ask("/watchers/web/list").json["pids"] == [pid, other]
    assert api.ask("/watchers/off/status").json["status"] == "stopped"
    assert api.ask("/status").json["statuses"] == {"web": "active", "off": "stopped"}
    assert api.ask("/numwatchers").json["numwatchers"] == 2
    found = api.ask("/watchers/web/get?keys=numprocesses&keys=cmd").json["options"]
    assert found == {"numprocesses": 2, "cmd": "sleep 3600"}
    assert api.ask("/is-active?names=web").json["active"]
    assert api.ask("/wait?names=off&until=stopped").json["statuses"] == {"off": "stopped"}
    assert api.ask("/plan").json["steps"] == []


def test_a_change_has_begun_is_done_or_is_only_foreseen(api: Api, console: Console) -> None:
    before = console.daemon.wait_pids("web", 2)
    answer = api.ask("/watchers/web/restart?dry_run=true", {})
    assert (answer.status, answer.json["steps"][0]["action"]) == (200, "restart")
    assert console.daemon.pids("web") == before
    answer = api.ask("/watchers/web/scale?waiting=true", {"numprocesses": 3})
    assert answer.status == 200
    assert len(console.daemon.pids("web")) == 3
    answer = api.ask("/watchers/web/stop", {})
    assert (answer.status, answer.json["in_progress"]) == (202, "stop")
    assert answer.headers["Location"] == "/api/v1/watchers/web/why"
    wait_until(lambda: not console.daemon.pids("web"))
    assert api.ask("/start?waiting=true", {"name": "w*"}).status == 200
    assert len(console.daemon.pids("web")) == 3


def test_what_takes_longer_goes_on(consoles: Open) -> None:
    console = consoles(watchers=STUBBORN)
    api = Api(console)
    wait_until(lambda: ready(console.daemon.file("stubborn.log")))
    answer = api.ask("/watchers/stubborn/stop?waiting=true", {})
    assert (answer.status, answer.json["in_progress"]) == (202, "stop")
    assert api.ask("/watchers/stubborn/status").json["status"] == "stopping"


def test_t53_those_who_wait_hold_up_nobody(console: Console, api: Api) -> None:
    asked = "/wait?names=off&until=active&timeout=10"
    answers: list[Answer] = []

    def wait() -> None:
        answers.append(api.ask(asked))

    waiting = [threading.Thread(target=wait) for _ in range(2 * PLACES)]
    for one in waiting:
        one.start()
    wait_until(lambda: len(answers) >= PLACES)  # who found no place; all others have one by now
    for answer in answers[:PLACES]:
        assert problem(answer)["detail"].startswith("too many requests wait already")
        assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert api.ask("/numwatchers").status == 200
    assert api.ask("/watchers/web/incr?waiting=true", {}).status == 202
    for one in waiting:
        one.join()
    assert api.ask("/wait?names=off&until=stopped").status == 200


def test_a_watcher_is_added_and_removed(consoles: Open) -> None:
    api = Api(consoles("allow_add = True\n"))
    new = {"name": "new", "cmd": "sleep 3600", "options": {"numprocesses": 2}, "start": True}
    assert api.ask("/watchers?waiting=true", new).status == 200
    assert api.ask("/watchers/new/numprocesses").json["numprocesses"] == 2
    assert problem(api.ask("/watchers?waiting=true", new))["status"] == 409
    assert api.ask("/watchers/new?waiting=true", method="DELETE").status == 200
    assert problem(api.ask("/watchers/new"))["status"] == 404


def test_t53_watchers_are_added_only_where_the_settings_say_so(api: Api) -> None:
    told = problem(api.ask("/watchers", {"name": "new", "cmd": "sleep 1"}))
    assert (told["status"], "allow_add" in told["detail"]) == (403, True)


def test_any_name_can_be_asked_for(consoles: Open) -> None:
    api = Api(consoles(watchers=STRANGE))
    for name in NAMES:
        found = api.ask(f"/watchers/{to_path(name)}").json["watchers"]
        assert [one["name"] for one in found] == [name]
        assert api.ask(f"/watchers/{to_path(name)}/status").json["status"] == "stopped"
        assert api.ask(f"/watchers/{to_path(name)}/start?waiting=true", {}).status == 200
    for name in ("a/b", "50%", "naïve ☃", "a?b#c"):  # as most programs write them
        found = api.ask(f"/watchers/{quote(name, safe='')}/get?keys=cmd").json["options"]
        assert found == {"cmd": "sleep 3600"}


def test_a_name_is_no_pattern(api: Api, console: Console) -> None:
    console.daemon.wait_pids("web", 2)
    assert problem(api.ask("/watchers/w%2A/stop?waiting=true", {}))["status"] == 404
    assert len(console.daemon.pids("web")) == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/nosuch", None, 404, ""),
        ("/watchers/web/nosuch", None, 404, ""),
        ("/watchers/web/quit", {}, 404, ""),
        ("/quit", {}, 404, ""),
        ("/watchers/nope/stop", {}, 404, "program nope not found"),
        ("/watchers/web/stats?process=1", None, 404, "process 1 not found in 'web'"),
        ("/watchers/web/incr", {"nb": "many"}, 400, "'nb' isn't an integer"),
        ("/watchers/web/incr", {"nb": 10**6}, 400, "'nb' must be between 0 and 10000"),
        ("/watchers/web/incr", {"bn": 1}, 400, "unknown property 'bn' for incr"),
        ("/watchers/web/incr", {"name": "off"}, 400, "unknown property 'name' for incr"),
        ("/watchers/web/incr", {"waiting": True}, 400, "unknown property 'waiting' for incr"),
        ("/watchers/web/incr?nb=2", {}, 400, "unknown property 'nb' for incr"),
        ("/watchers/web/incr?waiting=1", {}, 400, "'waiting' isn't a valid boolean"),
        ("/watchers/web/signal", {}, 400, "'signum' is missing"),
        ("/watchers/web/signal?dry_run=true", {"signum": 1}, 400, "unknown property 'dry_run'"),
        ("/watchers/web/incr", [], 400, "it is not an object"),
        ("/watchers/web/incr", b"{", 400, "json invalid"),
        ("/watchers/web/incr", b'{"nb": "\\ud800"}', 400, "half a character"),
        ("/watchers/web/stats?extended=maybe", None, 400, "'extended' isn't a valid boolean"),
        ("/watchers/web/set", {"options": {"numprocesses": -1}}, 400, "numprocesses"),
        ("/is-active", None, 400, "'names' is missing"),
        ("/wait?names=web&until=stopped&timeout=0", None, 422, "web is active"),
        ("/openapi.json?a=b", None, 400, "unknown parameter 'a'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    api: Api, path: str, body: object, status: int, text: str
) -> None:
    told = problem(api.ask(path, body))
    assert told["status"] == status, told
    assert text in told["detail"]


def test_methods_and_types_that_are_not_called_for(api: Api) -> None:
    answer = api.ask("/watchers/web/stop")
    assert (problem(answer)["status"], "POST" in answer.headers["Allow"]) == (405, True)
    assert problem(api.ask("/watchers/web/status", {}))["status"] == 405
    assert problem(api.ask("/watchers", {}, method="PUT"))["status"] == 405
    assert problem(api.ask("/watchers", headers={"Accept": "text/html"}))["status"] == 406
    text = {"Content-Type": "text/plain"}
    assert problem(api.ask("/watchers/web/incr", b"{}", headers=text))["status"] == 415
    assert api.ask("/watchers/web/incr", {"nb": "9" * 70_000}).status == 413


def test_t53_each_role_may_what_it_may(console: Console) -> None:
    denied = {
        role: [
            path
            for path in ("/watchers/off/start", "/watchers/off/incr", "/reloadconfig")
            if Api(console, role).ask(f"{path}?dry_run=true", {}).status == 403
        ]
        for role in ("read", "operate", "admin")
    }
    changes = ["/watchers/off/start", "/watchers/off/incr", "/reloadconfig"]
    assert denied == {"read": changes, "operate": ["/reloadconfig"], "admin": []}
    stranger = Api(console, "")
    assert problem(stranger.ask("/watchers"))["status"] == 401
    assert problem(stranger.ask("/watchers/web/stop", {}))["status"] == 401
    assert stranger.ask("/openapi.json").json["openapi"] == "3.1.0"


def test_t53_a_change_without_token_or_from_elsewhere_is_refused(api: Api) -> None:
    for headers in ({"X-CSRF-Token": "0"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert problem(api.ask("/watchers/web/stop", {}, headers=headers))["status"] == 403


def test_a_circusd_that_does_not_answer_is_told_from_one_that_is_gone(
    console: Console, api: Api
) -> None:
    console.daemon.process.send_signal(signal.SIGSTOP)
    try:
        assert problem(api.ask("/numwatchers"))["status"] == 504
    finally:
        console.daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: api.ask("/numwatchers").status == 200)
    console.daemon.process.terminate()
    console.daemon.process.wait()
    answer = api.ask("/numwatchers")
    told = problem(answer)
    assert (told["status"], "is it running?" in told["detail"]) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0


def test_the_description_is_the_one_in_the_manual(api: Api) -> None:
    found = api.ask("/openapi.json").json
    assert json.dumps(found).count("operationId") == sum(map(len, found["paths"].values()))
    assert "/watchers/{name}/logs" in found["paths"]
