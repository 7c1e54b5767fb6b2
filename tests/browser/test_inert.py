"""T53: whatever names, arguments, variables, hooks say, it is text in a browser."""

from __future__ import annotations

from tests.browser.chromium import Chromium
from tests.support import wait_until
from tests.web.conftest import Open

MARKUP = "<img src=x onerror='pwned=1'><script>pwned=1</script><iframe src=javascript:pwned=1>"
NAMES = (
    "<img src=x onerror=pwned=1>",
    "<script>pwned=1</script>",
    "\"'><b>&lt;",
    "javascript:pwned",
)
RUDE = "".join(
    f"""
[watcher:{name}]
cmd = sh -c 'exec sleep 3600' "{MARKUP}"
copy_env = True
[env:{name}]
RUDE = {MARKUP}
"""
    for name in NAMES
)
HOOK = f"""
[watcher:hook]
cmd = sleep 3600
autostart = False
hooks.before_start = rude.say
[socket:{NAMES[0]}]
host = 127.0.0.1
port = 0
"""
SAY = f"def say(**_):\n    raise ValueError({MARKUP!r})\n"
PAGES = ("/", "/sockets", "/events", "/plan", "/connect")
ADDRESSES = """
return [...document.querySelectorAll("tbody .name a")].map((one) => one.getAttribute("href"))
"""
OURS = "img, iframe, b:not([data-count]), body script, [onerror], [href^='javascript:']"


def test_t53_nothing_that_is_shown_becomes_markup(page: Chromium, consoles: Open) -> None:
    console = consoles(watchers=RUDE)
    daemon = console.daemon
    (daemon.folder / "rude.py").write_text(SAY)
    daemon.write(RUDE + HOOK)
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    daemon.call("start", name="hook")
    daemon.write(RUDE.replace("RUDE = ", "OTHER = ") + HOOK)  # to be seen in the plan
    wait_until(lambda: "ValueError" in str(daemon.call("why", name="hook")))
    page.login(console)
    page.until(lambda: page.count("tbody .name a") == len(NAMES) + 1)
    daemon.call("stop", name=NAMES[1])  # what scripts paint, too
    page.shows("stopped", "#watchers")
    addresses = page.script(ADDRESSES)
    details = [one + tab for one in addresses for tab in ("", "/options", "/logs")]
    for path in (*PAGES, *details):
        page.open(path)
        assert page.text("h1"), path
        assert page.count(OURS) == 0, path
        assert page.script("return typeof pwned") == "undefined", path
    page.open(addresses[0] + "/options")
    page.shows(MARKUP)


def test_t53_names_are_text_in_questions_and_answers(page: Chromium, consoles: Open) -> None:
    page.login(consoles(watchers=RUDE))
    page.click(f'//tr[@data-name="{NAMES[0]}"]//button[contains(@class, "state")]')
    page.shows(f"Stop {NAMES[0]}?", "#ask")
    page.button("Stop")
    page.shows(NAMES[0], "#messages")
    assert page.count(OURS) == 0
    assert page.script("return typeof pwned") == "undefined"
