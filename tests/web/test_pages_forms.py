"""The forms change what they say, and nothing else does."""

from __future__ import annotations

import os
import signal
from urllib.parse import urlencode

import pytest

from circus.web.names import watcher_path
from tests.support import alive, child, pid_tree, ready, wait_until
from tests.web.conftest import Open
from tests.web.console import Answer, Console
from tests.web.markup import Markup

OLD = ("switch_status", "process/incr", "process/decr", "process/kill/1")


@pytest.fixture
def operator(console: Console) -> Console:
    return console.login("operate")


def state(console: Console, name: str) -> str:
    return str(console.daemon.call("status", name=name)["status"])


def messages(console: Console, path: str = "/") -> list[str]:
    return Markup(console.get(path).text).messages


def script(console: Console, path: str, **fields: str) -> Answer:
    """As the page's script sends it."""
    return console.post(path, fields, Accept="application/json")


def test_a_click_on_the_state_stops_and_starts(operator: Console) -> None:
    answer = operator.post("/watchers/web/stop", {"next": "/?sort=-cpu"})
    assert (answer.status, answer.location) == (303, "/?sort=-cpu")
    wait_until(lambda: state(operator, "web") == "stopped")
    assert operator.post("/watchers/web/start").location == "/watchers/web"
    wait_until(lambda: state(operator, "web") == "active")


def test_what_was_done_is_said_once(operator: Console) -> None:
    assert operator.post("/watchers/off/start", page="/sockets").status == 303
    assert messages(operator, "/sockets") == ["off is being started."]
    assert messages(operator, "/sockets") == []


def test_a_refusal_is_said_too(operator: Console) -> None:
    operator.post("/watchers/nope/start", page="/sockets")
    assert messages(operator, "/sockets") == ["program nope not found"]


def test_a_script_is_told_at_once(operator: Console) -> None:
    answer = script(operator, "/watchers/web/incr")
    assert answer.json == {"messages": [{"text": "web gets one process more.", "kind": "done"}]}
    operator.daemon.wait_pids("web", 3)
    assert script(operator, "/watchers/nope/incr").json["messages"][0]["kind"] == "refused"
    assert messages(operator) == []


def test_processes_are_added_and_removed(operator: Console) -> None:
    operator.post("/watchers/web/incr")
    operator.daemon.wait_pids("web", 3)
    operator.post("/watchers/web/decr")
    operator.daemon.wait_pids("web", 2)


def test_t5_kill_ends_the_whole_tree(consoles: Open) -> None:
    watchers = "[watcher:web]\ncmd = sh -c 'sleep 3600 & sleep 3600 & wait'\nshell = False\n"
    console = consoles(watchers=watchers).login("operate")
    (pid,) = console.daemon.pids("web")
    tree = wait_until(lambda: found if len(found := pid_tree(pid)) == 3 else None)
    console.post("/watchers/web/kill", {"pid": str(pid)})
    wait_until(lambda: not any(alive(one) for one in tree))
    (successor,) = console.daemon.wait_pids("web", 1)
    assert successor != pid


def test_a_signal_is_sent_to_one_worker(console: Console) -> None:
    console.login("operate")
    first, second = console.daemon.pids("web")
    console.post("/watchers/web/signal", {"signum": "KILL", "pid": str(first)})
    wait_until(lambda: not alive(first))
    assert second in console.daemon.wait_pids("web", 2)
    console.post("/watchers/web/signal", {"signum": "nonsense", "pid": ""}, page="/sockets")
    assert "nonsense" in messages(console, "/sockets")[0]


def test_several_at_once(operator: Console) -> None:
    body = urlencode(
        {"csrf": operator.csrf(), "verb": "restart", "names": ["web", "nope", "off"]}, doseq=True
    )
    form = "application/x-www-form-urlencoded"
    headers = {"Content-Type": form, "Origin": operator.origin}
    before = set(operator.daemon.pids("web"))
    assert operator.ask("POST", "/act", body, headers).location == "/"
    assert messages(operator) == [
        "nope: program nope not found",
        "restart is under way: web, off",
    ]
    wait_until(lambda: len(now := operator.daemon.pids("web")) == 2 and not before & set(now))


def test_none_selected_and_no_such_change(operator: Console) -> None:
    operator.post("/act", {"verb": "stop"}, page="/sockets")
    assert messages(operator) == ["No watcher is selected."]
    assert operator.post("/act", {"verb": "quit", "names": "web"}).status == 400
    assert operator.post("/watchers/web/quit").status == 404


def test_t53_who_may_only_look_changes_nothing(console: Console) -> None:
    console.login("read")
    for path in ("/act", "/watchers/web/stop", "/watchers/web/switch_status", "/plan", "/connect"):
        assert console.post(path, {"verb": "stop", "names": "web"}).status == 403
    assert state(console, "web") == "active"


def test_t53_removing_takes_an_administrator(operator: Console) -> None:
    operator.post("/watchers/web/rm", page="/sockets")
    assert "admin" in messages(operator)[0]
    assert state(operator, "web") == "active"
    operator.login("admin")
    assert operator.post("/watchers/web/rm").location == "/"
    wait_until(lambda: operator.daemon.call("status", name="web")["status"] == "error")


def test_t53_only_pages_of_ours_come_next(operator: Console) -> None:
    for there in ("https://example.org/", "//example.org/", "/\\example.org", "/a\r\nX: y"):
        answer = operator.post("/watchers/web/incr", {"next": there})
        assert answer.location == "/watchers/web"
        assert answer.headers["X"] is None


def test_an_option_is_set(operator: Console) -> None:
    path = "/watchers/web/options"
    assert operator.post(path, {"key": "graceful_timeout", "value": "5"}).location == path
    assert messages(operator, path) == ["web: graceful_timeout is being set."]
    options = operator.daemon.call("options", name="web")["options"]
    assert options["graceful_timeout"] == 5
    operator.post(path, {"key": "cmd", "value": "sleep 1"})
    assert "admin" in messages(operator, path)[0]
    operator.post(path, {"key": "graceful_timeout", "value": "soon"})
    assert "soon" in messages(operator, path)[0]
    assert operator.daemon.call("options", name="web")["options"] == options


# -- addresses of circus 0.6 ------------------------------------------------


def test_t53_no_get_of_an_old_address_changes_anything(operator: Console) -> None:
    before = operator.daemon.call("why")["watchers"]
    for path in OLD:
        answer = operator.get(f"/watchers/web/{path}")
        assert (answer.status, answer.location) == (303, "/watchers/web?hint=1")
    assert "Here only the buttons do" in operator.get("/watchers/web?hint=1").text
    after = operator.daemon.call("why")["watchers"]
    same = [[(slot["pid"], slot["restarts"]) for one in seen for slot in one["slots"]]
            for seen in (before, after)]  # fmt: skip
    assert same[0] == same[1]


def test_the_old_addresses_work_by_post(operator: Console) -> None:
    assert operator.post("/watchers/web/process/incr").status == 303
    pids = operator.daemon.wait_pids("web", 3)
    operator.post("/watchers/web/process/decr")
    pids = operator.daemon.wait_pids("web", 2)
    operator.post(f"/watchers/web/process/kill/{pids[0]}")
    wait_until(lambda: not alive(pids[0]))
    operator.post("/watchers/web/switch_status")
    wait_until(lambda: state(operator, "web") == "stopped")
    operator.post("/watchers/web/switch_status")
    wait_until(lambda: state(operator, "web") == "active")


def test_the_other_old_addresses_lead_on(operator: Console) -> None:
    assert operator.get("/disconnect").location == "/connect"
    assert operator.get("/media/console.css").location == "/static/console.css"
    assert operator.get("/media/%2e%2e%2fapplication.py").status == 404


def test_forms_of_rude_names(consoles: Open) -> None:
    name = 'a/b "<c>" 100%'
    console = consoles(watchers=f"[watcher:{name}]\ncmd = sleep 3600\n").login("operate")
    console.post(f"{watcher_path(name)}/incr")
    console.daemon.wait_pids(name, 2)
    assert messages(console) == [f"{name} gets one process more."]


# -- plan, add, connect ------------------------------------------------


def test_a_plan_is_shown_applied_and_taken_back(console: Console) -> None:
    console.login("admin")
    assert "Nothing to do" in console.get("/plan").text
    console.daemon.write("[watcher:web]\ncmd = sleep 3600\nnumprocesses = 3\n")
    rows = [one.words for one in Markup(console.get("/plan").text).all("tr", role="row")]
    assert any("watcher web live" in row for row in rows)
    assert any("watcher off" in row for row in rows)
    console.post("/plan", {"way": ""})
    assert "live watcher web" in messages(console, "/plan")[0]
    console.daemon.wait_pids("web", 3)
    assert "Nothing to do" in console.get("/plan").text
    console.post("/plan", {"way": "back"})
    console.daemon.wait_pids("web", 2)


def test_a_file_that_cannot_be_used_is_told(console: Console) -> None:
    console.login("admin")
    console.daemon.write("[watcher:web]\ncmd = sleep 3600\nnumprocesses = many\nnonsense = 1\n")
    text = Markup(console.get("/plan").text).one("main").words
    assert "'many' is not a whole number" in text
    console.post("/plan", {"way": ""})
    assert "Nothing has changed" in messages(console)[0]
    assert console.post("/plan", {"way": "sideways"}).status == 400
    options = Markup(console.get("/watchers/web/options").text).one("main").words
    assert "numprocesses 2 set" in options, "nobody can say whether that is of the file"


def test_a_change_that_takes_its_time_goes_on(consoles: Open) -> None:
    stubborn = "[watcher:w]\ncmd = {}\ngraceful_timeout = 60\n"
    console = consoles(watchers=stubborn.format(child("ignore_term"))).login("admin")
    (pid,) = wait_until(lambda: ready(console.daemon.text()))
    console.daemon.write(stubborn.format("sleep 3600"))
    console.post("/plan", {"way": ""}, page="/sockets")
    (told,) = messages(console, "/sockets")
    assert told == ("The file: it takes its time and goes on. The watchers show how far it is.")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: console.daemon.pids("w") not in ([], [pid]))


def test_t53_watchers_are_added_only_where_that_is_on(console: Console) -> None:
    console.login("admin")
    assert "allow_add = True" in console.get("/add_watcher").text
    answer = console.post("/add_watcher", {"name": "evil", "cmd": "sleep 1"})
    assert answer.status == 409
    assert console.daemon.call("status", name="evil")["status"] == "error"


def test_a_watcher_is_added(consoles: Open) -> None:
    console = consoles("allow_add = True").login("admin")
    form = {"name": "a/b", "cmd": "sleep 3600", "numprocesses": "2", "start": "on"}
    answer = console.post("/add_watcher", form)
    assert answer.location == watcher_path("a/b")
    console.daemon.wait_pids("a/b", 2)
    again = console.post("/add_watcher", form)
    assert again.status == 409
    markup = Markup(again.text)
    assert markup.one("input", name="cmd").attributes["value"] == "sleep 3600"
    assert "exist" in markup.messages[0]
    for wrong in ({"numprocesses": "many"}, {"name": ""}):
        assert console.post("/add_watcher", {**form, **wrong}).status == 409
    console.login("operate")
    assert console.post("/add_watcher", {"name": "c", "cmd": "sleep 1"}).status == 403


def test_another_circusd_is_chosen(consoles: Open) -> None:
    console, other = consoles(), consoles(watchers="[watcher:other]\ncmd = sleep 3600\n")
    console.login("admin")
    console.post("/connect", {"endpoint": f"ipc://{console.daemon.folder}/nobody"})
    assert "Nothing has changed: No circusd listens" in messages(console, "/connect")[0]
    for wrong in ("nonsense", "http://example.org", "ipc://"):
        console.post("/connect", {"endpoint": wrong})
        assert "is not an endpoint" in messages(console, "/connect")[0]
    (told,) = script(console, "/connect", endpoint="nonsense").json["messages"]
    assert told["kind"] == "refused"
    console.post("/connect", {"endpoint": other.daemon.endpoint})
    assert console.get("/").status == 303  # that one has not let anybody in yet
    console.login("admin", other.daemon)
    wait_until(lambda: "/watchers/other" in console.get("/").text)
    assert console.get("/watchers/web").status == 404
