"""What workers of a real circusd find in their environment, and limits that cannot be."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    import pytest

    from tests.daemon.conftest import Start
    from tests.support import Daemon

PRINTABLE = string.printable.strip() + " é€\N{GRINNING FACE} and no more"
WRITTEN = PRINTABLE.replace("$", "dollar").replace(" ;", ";")
"""Nothing of it means anything to the format."""
VARIABLES = "$HOME ${HOME} $(circus.env.home) ((circus.wid)) $(ENV.HOME) $(circus.wid) $WID `x`"


def environ(daemon: Daemon, name: str) -> dict[bytes, bytes]:
    """Of the one worker, but for our own mark; once it runs its program."""
    (pid,) = daemon.wait_pids(name, 1)
    wait_until(lambda: b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes())
    items = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    pairs = (item.partition(b"=") for item in items if item)
    return {key: value for key, _, value in pairs if key != b"CIRCUS_WORKER"}


def test_t42_t44_environments_are_exact(circusd: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRINTABLE", PRINTABLE)
    monkeypatch.setenv("LIKE_OURS", VARIABLES)
    monkeypatch.setenv("NO_TEXT", os.fsdecode(b"\xff\xfe\x01"))
    daemon = circusd(
        f"""
[watcher:copied]
cmd = sleep 3600
copy_env = True
[watcher:bare]
cmd = sleep 3600
[watcher:some]
cmd = sleep 3600
[env:some]
COPY = $PRINTABLE
OTHER = <$(circus.env.like_ours)>
WRITTEN = {WRITTEN}
"""
    )
    ours = {os.fsencode(key): os.fsencode(value) for key, value in os.environ.items()}
    ours[b"RUNTIME_DIRECTORY"] = os.fsencode(daemon.folder)
    assert environ(daemon, "copied") == ours
    assert environ(daemon, "bare") == {}
    assert environ(daemon, "some") == {
        b"COPY": PRINTABLE.encode(),
        b"OTHER": f"<{VARIABLES}>".encode(),
        b"WRITTEN": WRITTEN.encode(),
    }


def test_t19_a_section_that_changed_reaches_new_workers(circusd: Start) -> None:
    text = "[watcher:w]\ncmd = sleep 3600\n[env:w]\n"
    daemon = circusd(f"{text}ONE = 1\nTWO = 2\n")
    assert environ(daemon, "w") == {b"ONE": b"1", b"TWO": b"2"}
    daemon.write(f"{text}TWO = changed\nTHREE = 3\n")
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    wait_until(lambda: environ(daemon, "w") == {b"TWO": b"changed", b"THREE": b"3"})


def test_t48_an_impossible_limit_is_told_and_paced(circusd: Start) -> None:
    most = int(Path("/proc/sys/fs/nr_open").read_text())
    daemon = circusd(
        f"""
[watcher:impossible]
cmd = sleep 3600
rlimit_nofile = {most + 1}
max_retry = -1
backoff_delay = 0.05
backoff_max = 0.4
backoff_jitter = 0
[watcher:fine]
cmd = sleep 3600
"""
    )
    pids = daemon.wait_pids("fine", 1)
    reason = "rlimit_nofile: Operation not permitted"
    wait_until(lambda: daemon.text().count(reason) >= 5)
    told = wait_until(  # now and then it is just being started
        lambda: text if "backing off" in (text := daemon.ctl("why", "impossible").stdout) else None
    )
    assert f"{reason}; next try " in told
    assert daemon.pids("impossible") == []
    assert daemon.pids("fine") == pids
    assert daemon.call("stop", name="impossible", waiting=True)["status"] == "ok"
