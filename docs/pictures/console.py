"""Pictures of the web console before a real circusd: `python -m docs.pictures.console`.

It takes Debian's chromium, chromium-driver and pngquant, and minutes, for the charts are to show
something. Pids, times and loads are other ones each time, the rest is not.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.browser.chromium import Chromium
from tests.support import Daemon, wait_until
from tests.web.console import Console

FOLDER = Path(__file__).parent
WORDS = FOLDER / "console.json"
"""What each page was made of when its picture was taken: headings, columns, fields, tabs."""
PAGE = FOLDER.parent / "web-console-pictures.md"
COURSE = 240.0
"""Seconds of CPU and memory that a chart has before its picture is taken."""
SHOP = """\
import math, random, sys, time
name, load, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(name)
held = bytearray(size << 20)
turn = 0
while True:
    turn += 1
    sum(range(int(load * (1.2 + math.sin(turn / 400)))))
    time.sleep(0.02)
    if turn % 30 == 0:
        held += bytes(random.randrange(200000))
        path = random.choice(("/", "/cart", "/items/4711", "/items/12", "/search?q=tent"))
        print(f'INFO "GET {path}" 200 {random.randrange(3, 90)} ms', flush=True)
    if turn % 700 == 0:
        print('WARNING "POST /checkout" 200 took 2140 ms', flush=True)
    if turn % 1900 == 0:
        print('ERROR "POST /checkout" 502: payment.example.org does not answer', flush=True)
"""
CONFIG = """
[circus]
statsd = True
[watcher:web]
cmd = PROGRAMS/gunicorn PROGRAMS/shop web 60000 30
numprocesses = 3
use_sockets = True
working_dir = FOLDER
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
stdout_stream.time_format = %Y-%m-%d %H:%M:%S
[env:web]
SHOP_SETTINGS = shop.production
[watcher:api]
cmd = PROGRAMS/gunicorn PROGRAMS/shop api 25000 40
numprocesses = 2
[watcher:queue]
cmd = PROGRAMS/celery PROGRAMS/shop queue 40000 60
numprocesses = 4
[watcher:mailer]
cmd = PROGRAMS/mailer PROGRAMS/shop mailer 1000 8
[watcher:search]
cmd = PROGRAMS/search PROGRAMS/shop search 8000 120
[watcher:nightly]
cmd = PROGRAMS/mailer PROGRAMS/shop nightly 1000 8
autostart = False
[watcher:report]
cmd = sh -c "exit 3"
backoff_delay = 600
backoff_max = 600
[socket:web]
host = 127.0.0.1
port = 0
[socket:api]
path = FOLDER/api.sock
"""
NEXT = (
    CONFIG.replace("numprocesses = 4", "numprocesses = 6")
    + """
[watcher:images]
cmd = PROGRAMS/search PROGRAMS/shop images 8000 120
"""
)
PROGRAMS = ("gunicorn", "celery", "mailer", "search")
"""What Python is called there: it does what is above."""
SETTINGS = "allow_add = True\npassword_file = FOLDER/users\n"
MADE_OF = """
const found = document.querySelectorAll(
    "h1, h2, nav.places a, nav.tabs a, th[scope=col], .facts dt, label:not(.quiet)");
const words = [...found].map((one) => (one.firstChild?.textContent || "").trim());
return [...new Set(words)].filter(Boolean).sort();
"""


class Picture(NamedTuple):
    """`about` is read out to who cannot see it; `waits` for something to be there."""

    name: str
    path: str
    about: str
    waits: str = "#live[data-kind=live]"


PICTURES = (
    Picture("watchers", "/", "All watchers, one of which fails and one is stopped"),
    Picture("watcher", "/watchers/web", "A watcher with its workers, charts and events", ".uplot"),
    Picture("logs", "/watchers/web/logs", "What a watcher writes, followed", "#log li"),
    Picture("options", "/watchers/web/options", "The options of a watcher, and where from"),
    Picture("sockets", "/sockets", "The sockets that circusd holds"),
    Picture("events", "/events", "What happened of late"),
    Picture("plan", "/plan", "What a changed file would do, step by step"),
    Picture("add", "/add_watcher", "A form for a new watcher"),
    Picture("connection", "/connect", "Which circusd this is about, and its charts", ".uplot"),
    Picture("keys", "/", "The keys", "#keys-help[open]"),
    Picture("login", "/login", "Logging in", ".notice"),
    Picture(
        "stale",
        "/",
        "circusd does not answer: since when, and what to do",
        ".live[data-kind=stale]",
    ),
)
WAYS = {"light": (1280, 860, 1), "dark": (1280, 860, 1), "360": (360, 740, 2)}
"""Width and height of the window, and pixels for each of its points."""


def file(one: Picture, way: str) -> Path:
    """Where it is."""
    return FOLDER / f"console-{one.name}-{way}.png"


def page() -> str:
    """The text of docs/web-console-pictures.md."""
    lines = ["# Pictures of the web console", ""]
    lines += ["Written by `python -m docs.pictures.console`, which takes the pictures, too.", ""]
    lines += [
        "[The web console](web-console.md) tells how to have it, and what its pages are for.",
        "",
    ]
    for one in PICTURES:
        lines += [f"## {one.about}", ""]
        for way, words in (("light", ""), ("dark", ", dark"), ("360", ", 360 pixels wide")):
            lines += [f"![{one.about}{words}](pictures/{file(one, way).name})", ""]
    return "\n".join(lines)


def begin(ended: ExitStack) -> Console:
    """circusd with a shop, and a console before it."""
    programs = Path(ended.enter_context(tempfile.TemporaryDirectory()))
    (programs / "shop").write_text(SHOP, encoding="utf-8")
    for name in PROGRAMS:
        (programs / name).symlink_to(sys.executable)
    daemon = Daemon(CONFIG.replace("PROGRAMS", str(programs)))
    ended.callback(daemon.stop)
    ended.callback(daemon.process.send_signal, signal.SIGCONT)
    console = Console(daemon.wait(), SETTINGS)
    ended.callback(console.stop)
    passwd = [
        sys.executable,
        "-m",
        "circus.web.circushttpd",
        "passwd",
        str(daemon.folder / "users"),
        "ops",
    ]
    subprocess.run(passwd, input=b"correct horse battery\n", stdout=subprocess.DEVNULL, check=True)
    daemon.write(NEXT.replace("PROGRAMS", str(programs)))
    daemon.call("incr", name="web")
    os.kill(daemon.wait_pids("mailer", 1)[0], signal.SIGKILL)
    wait_until(lambda: "exited with code 3" in str(daemon.call("why", name="report")))
    return console


def look(chromium: Chromium, one: Picture) -> list[str]:
    """Have it in the window; what it is made of."""
    chromium.open(one.path)
    if one.name == "keys":
        chromium.until(lambda: chromium.there("#theme"))
        chromium.press("?")
    chromium.until(lambda: chromium.there(one.waits))
    words: list[str] = chromium.script(MADE_OF)
    return words


def before(chromium: Chromium, console: Console, one: Picture) -> None:
    """What has to be so for a picture, and for those after it."""
    if one.name == "login":
        chromium.clear()
    elif one.name == "stale":
        chromium.login(console)
        console.daemon.process.send_signal(signal.SIGSTOP)


def main() -> None:
    """Make them all."""
    words = {}
    with ExitStack() as ended:
        console = begin(ended)
        chromium = Chromium(Path(ended.enter_context(tempfile.TemporaryDirectory())))
        ended.callback(chromium.quit)
        chromium.login(console)
        console.login()
        wait_until(lambda: course(console) >= COURSE, within=2 * COURSE)
        for one in PICTURES:
            before(chromium, console, one)
            for way, (width, height, pixels) in WAYS.items():
                chromium.size(width, height, pixels)
                chromium.theme("dark" if way == "dark" else "light")
                words[one.name] = look(chromium, one)
                file(one, way).write_bytes(taken(chromium))
    WORDS.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def course(console: Console) -> float:
    """How many seconds a chart would show."""
    told = console.get("/api/v1/history?span=600").json
    return float(told["step"] * sum(one is not None for one in told["cpu"]))


def taken(chromium: Chromium) -> bytes:
    """What is in the window, in few colours."""
    whole = base64.b64decode(chromium.cdp("Page.captureScreenshot", format="png")["data"])
    quant = ["pngquant", "--speed=1", "--strip", "64", "-"]
    return subprocess.run(quant, input=whole, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    main()
