"""What the pages of commands show: `python -m docs.recorded.commands` asks a real circusd anew.

Each sample has a circusd of its own on commands.ini. What came of it is in commands.json, from
which `python -m circus.commands.reference` makes the pages; tests/daemon/test_command_pages.py does
the same again and compares.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from docs.recorded.recorder import Recorder

FOLDER = Path(__file__).parent
CONFIG = FOLDER / "commands.ini"
RECORDED = FOLDER / "commands.json"


class Sample(NamedTuple):
    """`shell` is typed line by line, then the message is sent, then what goes wrong is tried."""

    verb: str
    shell: str = ""
    asked: dict[str, Any] | None = None
    """Properties of a message; TICKET in them is one of console-login."""
    wrong: str = ""
    refused: dict[str, Any] | None = None
    """Properties of a message that is refused, where there is nothing to type."""
    before: str = ""
    """Typed before the message, and not shown."""
    short: bool = False
    """The options in the answer are too many to be shown."""
    cgroups: bool = False
    ends: bool = False
    """The message is for another circusd: the first one has ended."""


MORE = "printf '[watcher:more]\\ncmd = sleep 3600\\n' >> circus.ini"
WORSE = "printf '[watcher:worse]\\nnumprocesses = many\\n' >> circus.ini"
LESS = "sed -i '/watcher:more/,$d' circus.ini"
SUPERVISOR = "printf '[program:web]\\ncommand=/usr/bin/web\\npriority=10\\nuser=www-data\\n'"
WAITING = {"waiting": True}
DB: dict[str, Any] = {"name": "db"}
NOBODY = "circusctl {} nothing; echo $?"

SAMPLES = (
    Sample(
        "add", "circusctl add --start --waiting tick sleep 3600\ncircusctl status tick",
        {"name": "tock", "cmd": "sleep 3600", "options": {"graceful_timeout": 5}, "start": True,
         "waiting": True},
        "circusctl add web sleep 3600; echo $?\ncircusctl add --dry-run web sleep 1; echo $?",
    ),
    Sample(
        "console-login",
        "circusctl console-login\ncircusctl console-login --role read --url https://ops.example.org",
        {"grants": "read"}, "circusctl console-login --role king; echo $?",
    ),
    Sample(
        "console-redeem", asked={"ticket": "TICKET", "use": True}, refused={"ticket": "TICKET"},
    ),
    Sample(
        "decr", "circusctl incr web 2 --waiting\ncircusctl decr web --waiting",
        {**DB, "nb": 1, **WAITING}, NOBODY.format("decr"),
    ),
    Sample("dstats", "circusctl dstats", {}),
    Sample(
        "events", "circusctl restart web --waiting\ncircusctl events --since 6 watcher.web.",
        {"since": 0, "topics": ["watcher.db."]},
        "circusctl events --since 6 --instance another watcher.db.spawn",
    ),
    Sample(
        "foresee", asked={"what": "restart", "given": DB}, refused={"what": "list"},
    ),
    Sample(
        "freeze", "circusctl freeze web\ncircusctl status web", DB, NOBODY.format("freeze"),
        cgroups=True,
    ),
    Sample(
        "get", "circusctl get web numprocesses cmd", {**DB, "keys": ["cmd", "graceful_timeout"]},
        "circusctl get web colour; echo $?",
    ),
    Sample(
        "globaloptions", "circusctl globaloptions\ncircusctl globaloptions endpoint",
        {"option": "pubsub_endpoint"}, NOBODY.format("globaloptions"),
    ),
    Sample(
        "import", f"{SUPERVISOR} > old.conf\ncircusctl import supervisor old.conf --output new.ini",
        wrong="circusctl import supervisor nowhere.conf; echo $?",
    ),
    Sample(
        "incr", "circusctl incr web --waiting\ncircusctl incr web 2 --waiting",
        {**DB, "nb": 1, **WAITING}, NOBODY.format("incr"),
    ),
    Sample(
        "is-active", "circusctl is-active web db\ncircusctl is-active web idle; echo $?",
        {"names": ["db", "idle"]}, NOBODY.format("is-active"),
    ),
    Sample(
        "keygen", "circusctl keygen keys\ncircusctl keygen keys alice --role operate",
        wrong="circusctl keygen keys alice; echo $?",
    ),
    Sample(
        "kill",
        "circusctl kill web --waiting\n"
        "circusctl kill web $(circusctl list web) --signum INT --waiting",
        {**DB, "signum": "INT", "graceful_timeout": 5, **WAITING}, "circusctl kill web 1; echo $?",
    ),
    Sample("list", "circusctl list\ncircusctl list web", DB, NOBODY.format("list")),
    Sample("listen", "circusctl listen --since 0 watcher.db."),
    Sample("listsockets", "circusctl listsockets", {}),
    Sample(
        "logs", "circusctl logs clock\ncircusctl logs clock -n 1",
        wrong="circusctl logs db; echo $?",
    ),
    Sample(
        "numprocesses", "circusctl numprocesses\ncircusctl numprocesses web", DB,
        NOBODY.format("numprocesses"),
    ),
    Sample("numwatchers", "circusctl numwatchers", {}),
    Sample("options", "circusctl options db | head -4", DB, NOBODY.format("options"), short=True),
    Sample(
        "plan", f"{MORE}\ncircusctl plan\ncircusctl plan --detailed-exitcode; echo $?", {},
        f"{WORSE}\ncircusctl plan; echo $?",
    ),
    Sample("quit", "circusctl quit --waiting\ncircusctl status; echo $?", WAITING, ends=True),
    Sample(
        "reload", "circusctl reload web --waiting\ncircusctl reload web --dry-run",
        {**DB, **WAITING}, NOBODY.format("reload"),
    ),
    Sample(
        "reloadconfig", f"{MORE}\ncircusctl reloadconfig --waiting\ncircusctl status more", WAITING,
        f"{WORSE}\ncircusctl reloadconfig; echo $?", before=LESS,
    ),
    Sample(
        "restart", "circusctl restart web --waiting\ncircusctl restart web --dry-run",
        {**DB, **WAITING}, NOBODY.format("restart"),
    ),
    Sample(
        "rm", "circusctl rm web --waiting\ncircusctl list", {**DB, **WAITING},
        "circusctl rm web; echo $?",
    ),
    Sample(
        "rollback",
        f"{MORE}\ncircusctl reloadconfig --waiting\ncircusctl rollback --waiting\ncircusctl list",
        WAITING, "circusctl rollback; echo $?", before="circusctl reloadconfig --waiting",
    ),
    Sample(
        "scale", "circusctl scale web 3 --waiting\ncircusctl scale web=1 idle=2 --waiting",
        {**DB, "numprocesses": 2, **WAITING}, "circusctl scale web lots; echo $?",
    ),
    Sample(
        "set",
        "circusctl set web graceful_timeout 5 stop_signal INT\n"
        "circusctl set web env.GREETING hello --waiting\ncircusctl get web env",
        {**DB, "options": {"graceful_timeout": 5}, **WAITING},
        "circusctl set web numprocesses many; echo $?\n"
        "circusctl set web gracefultimeout 5; echo $?",
    ),
    Sample(
        "signal", "circusctl signal web CONT\ncircusctl signal web 18 --recursive",
        {**DB, "signum": "CONT"}, "circusctl signal web LOUD; echo $?",
    ),
    Sample(
        "start", "circusctl start idle --waiting\ncircusctl status idle", {**DB, **WAITING},
        NOBODY.format("start"), before="circusctl stop db --waiting",
    ),
    Sample("stats", "circusctl stats web", DB, NOBODY.format("stats")),
    Sample("status", "circusctl status\ncircusctl status web", {}, NOBODY.format("status")),
    Sample(
        "stop", "circusctl stop web --dry-run\ncircusctl stop web --waiting\ncircusctl status web",
        {**DB, **WAITING}, NOBODY.format("stop"),
    ),
    Sample(
        "thaw", "circusctl freeze web\ncircusctl thaw web\ncircusctl status web", DB,
        NOBODY.format("thaw"), before="circusctl freeze db", cgroups=True,
    ),
    Sample(
        "wait", "circusctl wait web db\ncircusctl wait idle --timeout 0.2; echo $?",
        {"names": ["db"], "until": "settled"}, NOBODY.format("wait"),
    ),
    Sample("why", "circusctl why\ncircusctl why web.1", DB, NOBODY.format("why")),
)  # fmt: skip


def recorded(sample: Sample) -> dict[str, Any]:
    """What comes of a sample, with what differs from one run to the next replaced."""
    config = CONFIG.read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    with Recorder(config, cgroups=sample.cgroups, ends=sample.ends) as recorder:
        if sample.shell:
            found["shell"] = recorder.typed(sample.shell)
        if not sample.ends:
            _ask(recorder, sample, found)
        if sample.wrong:
            found["wrong"] = recorder.typed(sample.wrong)
    if sample.ends:
        with Recorder(config, ends=True) as recorder:
            _ask(recorder, sample, found)
    return found


def _ask(recorder: Recorder, sample: Sample, found: dict[str, Any]) -> None:
    recorder.typed(sample.before)
    if sample.asked is not None:
        found["asked"] = recorder.asked(sample.verb, sample.asked)
        if sample.short:
            options = found["asked"]["reply"]["options"]
            found["asked"]["reply"]["options"] = {**dict(islice(options.items(), 6)), "...": "..."}
    if sample.refused is not None:
        found["refused"] = recorder.asked(sample.verb, sample.refused)


def main() -> None:
    """Write commands.json."""
    found = {sample.verb: recorded(sample) for sample in SAMPLES}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    RECORDED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
