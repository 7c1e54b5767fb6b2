"""Known defects of older supervisors, T1 to T60, and the tests that show them absent.

`python -m tests.proof.defects` writes docs/reference/defects.md. A test belongs to a defect by its
name, such as test_t25_logrotate_loses_no_line.
"""

from __future__ import annotations

import re
from collections import defaultdict

from tests.proof.results import ROOT

PAGE = ROOT / "docs" / "reference" / "defects.md"
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
FEW = 3
"""So many tests of a file are named; of more their number is told."""
HEAD = """\
# Known defects, and the tests that show them absent

What users of process supervisors, Circus up to 0.19 among them, have met in sixty forms. Each has a
number, which the tests that try it here carry in their names. `make test` runs them all.

Written by `python -m tests.proof.defects`; do not edit.

| | The defect | Shown to be absent by |
|---:|---|---|
"""
DEFECTS = dict(
    enumerate(
        (
            "a command for one watcher fails while another stops slowly",
            "deaths elsewhere are not answered while a command is carried out",
            "a slow start of many watchers collides with the look after them",
            "when the leader ends at once, its children live on",
            "a kill leaves the children of the worker",
            "a wrong command that is tried for ever holds up everything",
            "a command that does not exist ends the daemon",
            "healthy workers are stopped because their siblings crash",
            "a changed socket is closed before it is clear that the new one can be had",
            "a reload pays no heed to the order of watchers",
            "an option that was added or removed goes unnoticed",
            "any change to the daemon's own section restarts every worker",
            "a watcher that was stopped by hand comes back with a change of the file",
            "names in upper case, or with odd characters, break commands",
            "there are too many workers after their number has grown",
            "a worker is replaced between its signal and its end",
            "a singleton cannot be brought back once it is at zero",
            "a reload stops the console, the statistics or plugins",
            "a reload keeps variables that were changed or removed",
            "a watcher of short-lived workers is stuck on a closed file",
            "after a stop and a start output is lost, or its file stays open",
            "the last output of a worker is dropped",
            "a time stamp stands within a line, or a character is torn",
            "bytes that are no text break a file's sink",
            "output falls silent when somebody rotates its file, or its disk is full",
            "lines are lost where one file ends and the next begins",
            "a sink that is a pipe, a terminal or a device breaks",
            "a worker that writes nothing keeps the daemon from ending",
            "a worker that closes its output keeps the daemon busy",
            "statistics or console use up a processor after stops and starts",
            "a clock that is turned leaves zombies or stalls starts",
            "a worker that ends while it is being ended is an error",
            "a worker that was killed by a signal is not replaced",
            "to collect an ended worker waits for one that lives",
            "the end of an unknown child ends the daemon",
            "descriptors are lost with each worker that ends",
            "workers get wrong descriptors, or more than they should",
            "every socket goes to each watcher that wants one",
            "a bind that fails leaves another umask behind",
            "a socket cannot be bound to an interface",
            "a dead Unix socket hinders the start, or a live one is taken away",
            "`$NAME` within the value of a variable is replaced",
            "values with `=` or `,` cannot be set",
            "the environment is copied when it should not be, or not when it should",
            "watchers share one set of variables",
            "a user whose groups cannot be found runs with those of the daemon",
            "group 0 counts as none, and soft and hard limits as one",
            "a limit that cannot be set is tried without a pause for ever",
            "whoever may set an option may become root by it",
            "a user cannot add a watcher that runs as that user",
            "the control socket is open to more people for a moment",
            "anybody on the machine, or the network, may control the daemon",
            "the console has no login, takes changes from anywhere, and shows markup",
            "a failure ends with exit status 0",
            "a command is called a failure while it is still being carried out",
            "a pid file that is not true any more hinders a start",
            "a hook that says no stops the watcher for ever; one that hangs stops all",
            "to stop many takes as long as all of them together",
            "a new release of a library breaks the daemon, or an old one does",
            "what the package installs does not start",
        ),
        start=1,
    )
)


def tests() -> dict[int, list[str]]:
    """The names of the tests of each defect, by file and place."""
    found = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in TEST.findall(path.read_text(encoding="utf-8")):
            for number in re.findall(r"(?<=_)t(\d+)(?=_)", name):
                found[int(number)].append(f"{path.relative_to(ROOT)}::{name}")
    return found


def told(names: list[str]) -> str:
    """The tests of one defect, shorter where a file has many."""
    files = defaultdict(list)
    for name in names:
        files[name.partition("::")[0]].append(name)
    lines = [
        line
        for file, its in files.items()
        for line in (its if len(its) <= FEW else [f"{len(its)} of {file}"])
    ]
    return "<br>".join(re.sub(r"(tests/\S+)", r"`\1`", line) for line in lines)


def page() -> str:
    """The page as it has to be."""
    found = tests()
    rows = (f"| T{n} | {text} | {told(found[n])} |\n" for n, text in DEFECTS.items())
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
