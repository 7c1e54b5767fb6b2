"""The pages as they are served: they read without script, and show to whom what they may do."""

from __future__ import annotations

import pytest

from circus.web.guard import FOR_EVER
from circus.web.names import watcher_path
from tests.web.conftest import Open
from tests.web.console import Console
from tests.web.markup import Markup

PAGES = (
    "/", "/?show=stopped", "/sockets", "/events", "/plan", "/plan?way=reset", "/plan?way=back",
    "/add_watcher", "/connect", "/watchers/web", "/watchers/off", "/watchers/web/options",
    "/watchers/web/logs", "/watchers/nope", "/nope",
)  # fmt: skip
NAMES = ("a/b", "a b", "100%", "%2F", "..", "<script>alert(1)</script>", "\"'&", "é☃", "a;b?c#d")
RUDE = "".join(f"[watcher:{name}]\ncmd = sleep 3600\n" for name in NAMES)


def page(console: Console, path: str) -> Markup:
    return Markup(console.get(path).text)


@pytest.fixture
def admin(console: Console) -> Console:
    return console.login("admin")


def test_each_page_is_sound(admin: Console) -> None:
    for path in PAGES:
        _look_at(page(admin, path))


def _look_at(markup: Markup) -> None:
    assert len(markup.all("h1")) == 1
    assert len(markup.all("main")) == 1
    assert markup.one("html").attributes["lang"] == "en"
    ids = [one.attributes["id"] for one in markup.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert all("caption" in _below(markup, table) for table in markup.all("table"))
    labels = {one.attributes.get("for") for one in markup.all("label")}
    for field in [*markup.all("input"), *markup.all("select")]:
        given = field.attributes
        named = "aria-label" in given or given.get("id") in labels or "label" in field.within
        assert named or given.get("type") == "hidden", given


def _below(markup: Markup, table: object) -> list[str]:
    at = next(at for at, one in enumerate(markup.elements) if one is table)
    return [markup.elements[at + 1].tag]


def test_t53_no_page_has_script_or_style_within(admin: Console) -> None:
    for one in [one for path in PAGES for one in page(admin, path).elements]:
        assert one.tag != "style"
        assert one.tag != "script" or (one.attributes.get("src") and not one.words)
        assert not [name for name in one.attributes if name.startswith("on") or name == "style"]


def test_t53_each_form_that_changes_has_the_token(admin: Console) -> None:
    csrf = admin.csrf()
    for path in PAGES:
        markup = page(admin, path)
        forms = markup.all("form", method="post")
        tokens = markup.all("input", name="csrf", value=csrf)
        assert len(tokens) == len(forms) > 0, path


def test_all_files_of_a_page_are_there(admin: Console) -> None:
    markup = page(admin, "/")
    files = [one.attributes["src"] for one in markup.all("script")]
    files += [one.attributes["href"] for one in markup.all("link")]
    assert len(files) > 5
    for path in files:
        answer = admin.get(path)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, FOR_EVER)


def test_the_overview_shows_each_watcher(admin: Console) -> None:
    markup = page(admin, "/")
    assert [one.attributes["data-name"] for one in markup.all("tr", role="row")[1:]] == [
        "off", "web", "",
    ]  # fmt: skip  # the last is what a script makes rows from
    stop, start = (
        markup.one("button", formaction=path)
        for path in ("/watchers/web/stop", "/watchers/off/start")
    )
    assert (stop.words, start.words) == ("active", "stopped")
    assert "2 of 2" in markup.one("tr", data_name="web").words


def test_the_address_says_which_and_in_what_order(admin: Console) -> None:
    def names(path: str) -> list[str]:
        rows = page(admin, path).all("tr", role="row")[1:-1]
        return [one.attributes["data-name"] for one in rows]

    assert names("/?sort=-name") == ["web", "off"]
    assert names("/?filter=WE") == ["web"]
    assert names("/?show=stopped") == ["off"]
    assert page(admin, "/?select=off").one("input", value="off", name="names").attributes.get(
        "checked"
    ) == ""  # fmt: skip
    assert "None of the 2 watchers is like that" in page(admin, "/?filter=zzz").one("main").words


def test_a_watcher_shows_its_workers_and_what_happened(admin: Console) -> None:
    markup = page(admin, "/watchers/web")
    pids = [one.attributes["value"] for one in markup.all("button", name="pid")]
    assert sorted(map(int, pids)) == sorted(admin.daemon.pids("web"))
    events = markup.one("ol", class_="events").words
    assert "spawn worker 1" in events
    assert "Start it to have 1" in page(admin, "/watchers/off").one("main").words


def test_options_say_where_they_come_from(consoles: Open) -> None:
    watchers = "[watcher:web]\ncmd = sleep 3600\n[env:web]\nSECRET = hush\n"
    console = consoles(watchers=watchers).login("admin")
    console.daemon.call("set", name="web", options={"graceful_timeout": 5})
    words = page(console, "/watchers/web/options").one("main").words
    assert "cmd sleep 3600 configuration" in words
    assert "graceful_timeout 5.0 set while circusd runs" in words
    assert "autostart True default" in words
    assert "SECRET=hush" in words


def test_options_of_a_watcher_that_is_in_no_file(admin: Console) -> None:
    admin.daemon.call("add", name="new", cmd="sleep 3600", options={"numprocesses": 2})
    words = page(admin, "/watchers/new/options").one("main").words
    assert "numprocesses 2 set while circusd runs" in words


def test_t53_values_of_variables_are_for_administrators(consoles: Open) -> None:
    console = consoles(watchers="[watcher:web]\ncmd = sleep 3600\n[env:web]\nSECRET = hush\n")
    for role in ("read", "operate"):
        text = console.login(role).get("/watchers/web/options").text
        assert "SECRET=***" in text
        assert "sleep 3600 set" in Markup(text).one("main").words
        assert "hush" not in text


def test_who_may_only_look_sees_no_buttons(console: Console) -> None:
    console.login("read")
    for path in ("/", "/watchers/web"):
        markup = page(console, path)
        assert not [one for one in markup.all("button") if "formaction" in one.attributes]
        assert not markup.all("a", href="/plan")
    refused = console.get("/plan")
    assert refused.status == 403
    assert "Ask an administrator" in refused.text
    assert "You may read" in page(console, "/connect").one("main").words


def test_strangers_learn_nothing_from_the_login(console: Console) -> None:
    text = console.get("/login").text
    assert console.daemon.endpoint not in text
    assert "/sockets" not in text


def test_t53_names_are_inert_and_lead_to_their_watcher(consoles: Open) -> None:
    console = consoles(watchers=RUDE).login("admin")
    links = {
        one.words: one.attributes["href"]
        for one in page(console, "/").all("a")
        if one.attributes["href"].startswith("/watchers/") and one.words != "Logs"
    }
    assert {*links} - {""} == {*NAMES}
    for name in NAMES:
        assert links[name] == watcher_path(name)
        markup = page(console, links[name])
        assert markup.one("h1").words == name
        assert len(markup.all("button", name="pid")) == 1
        assert not [one for one in markup.all("script") if one.words]
        assert markup.one("button", formaction=f"{links[name]}/stop", class_="state")


def test_what_is_not_there_is_said(admin: Console) -> None:
    for path in ("/nope", "/watchers/nope", "/watchers/nope/options"):
        answer = admin.get(path)
        assert answer.status == 404
        assert Markup(answer.text).one("h1").words
    assert "nope" in admin.get("/watchers/nope").text


def test_no_watcher_at_all(consoles: Open) -> None:
    console = consoles(watchers="[circus]\n").login("admin")
    assert "No watchers yet" in page(console, "/").one("main").words
    assert "No sockets" in page(console, "/sockets").one("main").words


def test_sockets_are_listed(consoles: Open) -> None:
    watchers = """
[watcher:web]
cmd = sleep 3600 $(circus.sockets.http)
use_sockets = True
[socket:http]
path = FOLDER/http
"""
    console = consoles(watchers=watchers).login("read")
    for path in ("/sockets", "/watchers/web"):
        row = page(console, path).one("tr", data_id="http")
        assert f"{console.daemon.folder}/http" in row.words
