"""/api/v1 against its own description: schemathesis makes up requests and judges answers.

No answer but those that are documented, in the form and of the type that is documented, and none
that tells of a mistake of the console's own.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.web.users import Entry, new_token, put, token_secret

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console

SEED = random.Random().randrange(10**6)
ROOT = "/api/v1"
USERS = "password_file = FOLDER/users\n"
WATCHERS = """
[watcher:web]
cmd = sleep 3600
singleton = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
"""
FUZZ = f"""
seed = {SEED}
request-timeout = 30
[phases.stateful]
enabled = false
[generation]
max-examples = 8
no-shrink = true
[checks]
positive_data_acceptance.enabled = false
not_a_server_error.expected-statuses = ["2xx", "4xx", "503", "504"]
"""
"""Much that fits the description is refused: there is no such option, process or time."""
ON_ONE = """
[parameters]
"path.name" = "web"
"""


@pytest.mark.timeout(240)
def test_no_answer_about_any_watcher_is_a_surprise(consoles: Open, tmp_path: Path) -> None:
    fuzz(consoles(USERS, watchers=WATCHERS), tmp_path, FUZZ)


@pytest.mark.timeout(240)
def test_no_answer_about_one_watcher_is_a_surprise(consoles: Open, tmp_path: Path) -> None:
    """Others are added; only this one, which is a singleton, is told to have more workers."""
    console = consoles(f"{USERS}allow_add = True\n", watchers=WATCHERS)
    fuzz(console, tmp_path, FUZZ + ON_ONE, "--exclude-method", "DELETE")


def fuzz(console: Console, folder: Path, settings: str, *flags: str) -> None:
    token = new_token()
    put(str(console.daemon.folder / "users"), Entry("robot", "admin", token_secret(token)))
    config = folder / "schemathesis.toml"
    config.write_text(settings)
    ended = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run",
         f"{console.origin}{ROOT}/openapi.json", "--max-time", "35", "--no-color", *flags,
         "--header", f"Authorization: Bearer {token}"],
        capture_output=True, text=True, timeout=200, check=False, cwd=folder,
    )  # fmt: skip
    told = f"seed {SEED}\n{ended.stdout[-12000:]}\n{ended.stderr[-2000:]}"
    assert ended.returncode == 0, told
    assert "No test cases" not in ended.stdout, told
    assert console.get("/").status == 303, told
