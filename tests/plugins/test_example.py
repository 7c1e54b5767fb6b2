"""The plugin of examples/ does what it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
from typing import TYPE_CHECKING

from tests.plugins.conftest import ROOT
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start


def test_the_diary_says_how_a_worker_ended(circusd: Start, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "plugin_diary.py", tmp_path)
    text = (ROOT / "examples" / "plugin.ini").read_text()
    daemon = circusd(text.replace("filename = ", f"filename = {tmp_path}/"))
    diary = tmp_path / "diary.txt"
    wait_until(diary.exists)

    with daemon.restarting("worker"):  # until it has subscribed, it does not hear of it
        wait_until(lambda: re.search(r" worker\.[12]: killed by SIGTERM$", diary.read_text(), re.M))
    pid, *_ = daemon.wait_pids("worker", 2)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: re.search(r" worker\.[12]: killed by SIGKILL$", diary.read_text(), re.M))
