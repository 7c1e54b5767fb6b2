"""What somebody does with the console, in a real browser."""

from __future__ import annotations

import os
import signal

from tests.browser.chromium import Chromium
from tests.support import alive, child, ready, wait_until
from tests.web.conftest import Open
from tests.web.console import Console

QUICK = "graceful_timeout = 0.3\n"
PID = "table.workers tbody tr:nth-child(1) .w-2"


def another_worker(page: Chromium, before: str) -> None:
    """Return once the first worker is another one."""
    page.until(lambda: page.text(PID).isdecimal() and page.text(PID) != before)


def test_a_link_of_circusctl_lets_in_once(page: Chromium, console: Console) -> None:
    told = console.daemon.ctl("console-login", "--url", console.origin).stdout
    link = next(word for word in told.split() if word.startswith(console.origin))
    page.visit(console).open(link.removeprefix(console.origin))
    page.click("main button.first")
    page.shows("2 of 2", "tr[data-name=web]")
    page.shows("admin", ".where")
    page.click("form[action='/logout'] button")
    page.until(lambda: page.path.startswith("/login"))
    page.forgive("403")
    page.open(link.removeprefix(console.origin))
    page.shows("link")
    assert not page.there("main button.first")


def test_a_killed_worker_comes_back_before_the_eyes(page: Chromium, console: Console) -> None:
    page.login(console, path="/watchers/web")
    page.script("window.loaded = 1")
    before = page.until(lambda: page.text(PID))
    os.kill(int(before), signal.SIGKILL)
    another_worker(page, before)
    page.shows("2 of 2", ".facts")
    assert int(page.text(PID)) in console.daemon.pids("web")
    assert page.script("return window.loaded") == 1


def test_a_click_on_a_state_stops_and_starts(page: Chromium, console: Console) -> None:
    page.login(console)
    page.click("tr[data-name=web] button.state")
    page.shows("Stop web?", "#ask")
    page.button("Cancel")
    page.click("tr[data-name=off] button.state")
    page.shows("active", "tr[data-name=off] .state-cell")
    assert console.daemon.pids("off")
    page.click("tr[data-name=off] button.state")
    page.button("Stop")
    page.shows("stopped", "tr[data-name=off] .state-cell")
    assert len(console.daemon.pids("web")) == 2


def test_those_that_are_selected_are_done_together(page: Chromium, console: Console) -> None:
    page.login(console)
    page.click("#all")
    page.shows("2 watchers selected", "#selected")
    page.until(lambda: "select=off" in page.path)
    page.click("[data-bulk=Stop]")
    page.button("Stop")
    page.shows("stopped", "tr[data-name=web] .state-cell")
    wait_until(lambda: console.daemon.pids("web") == [])


def test_processes_are_added_and_removed(page: Chromium, console: Console) -> None:
    page.login(console, path="/watchers/web")
    page.button("Add a process")
    page.shows("3 of 3", ".facts")
    page.until(lambda: page.count("table.workers tbody tr") == 3)
    page.button("Remove a process")
    page.shows("2 of 2", ".facts")
    page.until(lambda: page.count("table.workers tbody tr") == 2)
    assert len(console.daemon.pids("web")) == 2


def test_t5_to_kill_a_worker_ends_all_that_it_started(page: Chromium, consoles: Open) -> None:
    console = consoles(watchers=f"[watcher:rude]\ncmd = {child('double_fork')}\n{QUICK}")
    (left,) = wait_until(lambda: ready(console.daemon.text()))
    (pid,) = console.daemon.wait_pids("rude", 1)
    page.login(console, path="/watchers/rude")
    page.click("table.workers .do button")
    page.shows("all that it started", "#ask")
    page.button("Kill")
    another_worker(page, str(pid))
    wait_until(lambda: not alive(pid) and not alive(left))


def test_a_watcher_is_added(page: Chromium, consoles: Open) -> None:
    console = consoles("allow_add = True")
    page.login(console, path="/add_watcher")
    page.fill("[name=name]", "new")
    page.fill("[name=cmd]", "sleep 3600")
    page.fill("[name=numprocesses]", "3")
    page.button("Add")
    page.shows("3 of 3")
    assert len(console.daemon.pids("new")) == 3


def test_a_changed_file_is_planned_and_applied(page: Chromium, console: Console) -> None:
    page.login(console, path="/plan")
    page.shows("Nothing to do")
    console.daemon.write("[watcher:web]\ncmd = sleep 3601\n[watcher:more]\ncmd = sleep 3600\n")
    page.click("//main//a[.='look again']")
    page.shows("watcher more", "table.steps")
    page.shows("watcher off", "table.steps")
    page.click("main form.actions button")
    page.click("#ask-yes")
    page.until(lambda: page.path.startswith("/plan"))
    page.shows("Nothing to do")
    page.open("/")
    page.shows("more", "table.watchers")
    assert sorted(console.daemon.call("list")["watchers"]) == ["more", "web"]


def test_another_circusd_is_connected_to(page: Chromium, console: Console, consoles: Open) -> None:
    other = consoles(watchers="[watcher:other]\ncmd = sleep 3600\n").daemon
    page.login(console, path="/connect")
    page.shows("circusd answers there")
    page.fill("[name=endpoint]:not([type=hidden])", other.endpoint)
    page.click("main button.first")
    page.shows("Your login is over, or was for another circusd", "main")
    page.open(f"/login?ticket={console.ticket('admin', other)}")
    page.click("main button.first")
    page.shows(other.endpoint, "#endpoint")
    page.shows("1 of 1", "tr[data-name=other]")
    page.until(lambda: not page.there("tr[data-name=web]"))


def test_a_theme_stays(page: Chromium, console: Console) -> None:
    page.login(console)
    light = page.script(GROUND)
    page.shows("System's theme", "#theme")
    page.click("#theme")
    page.shows("Light theme", "#theme")
    page.click("#theme")
    page.shows("Dark theme", "#theme")
    assert page.script(GROUND) != light
    page.open("/sockets")
    page.shows("Dark theme", "#theme")
    assert page.script(GROUND) != light
    page.click("#theme")
    page.shows("System's theme", "#theme")
    assert page.script(GROUND) == light


GROUND = "return getComputedStyle(document.body).backgroundColor"
