"""The newest libraries run all other tests; here are those that the oldest Debian has.

They are in an environment of its own that outlives the tests. What is run in it is what such
a library could break: what is computed, what programs import, the wire, statistics, plugins, pages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import install
from tests.support import only_if

pytestmark = only_if(
    sys.version_info[:2] == (3, 11), "these libraries are for the Python of Debian 12"
)

ROOT = Path(__file__).parents[2]
DEBIAN_12 = {
    "falcon": "3.1.1",
    "gevent": "22.10.2",
    "jinja2": "3.1.2",
    "psutil": "5.9.4",
    "python-prctl": "1.8.1",
    "pyzmq": "24.0.1",
    "redis": "4.3.4",
    "waitress": "2.1.2",
}
"""What it has of each library that setup.py names."""
TOOLS = ("django", "hypothesis", "prometheus_client", "pytest", "pytest-timeout", "tornado")
"""What these tests themselves want, of any age."""
VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""
OLD_AGE = ("-W", "ignore:'cgi' is deprecated:DeprecationWarning")
"""What Falcon 3.1.1 does that Python 3.11 frowns upon."""
PATIENCE = 600.0
"""Seconds for a part, of which each test has a limit of its own."""
PARTS = {
    "unit": ["tests/unit"],
    "compat": [
        "tests/compat",
        "--ignore=tests/compat/interop",
        # they ask what is installed beside Circus
        "--deselect=tests/compat/test_embedded.py::test_types_are_there_for_programs",
        "--deselect=tests/compat/test_programs.py::test_a_program_has_its_entry_point",
    ],
    "daemon": [
        *(f"tests/daemon/test_{name}.py" for name in ("client", "curve", "discovery", "events")),
        "tests/daemon/test_streams.py::"
        "test_a_stream_that_blocks_holds_up_neither_others_nor_control",  # by gevent, too
    ],
    "statistics": ["tests/daemon/test_stats.py", "-k", "who_may or keys or seen or json"],
    "web": [
        f"tests/web/test_{name}.py"
        for name in (
            "extending",
            "feed",
            "live",
            "login",
            "pages",
            "t53_proxy",
            "t53_requests",
            "waitressed",
        )
    ],
    "web-api": [f"tests/web/test_{name}.py" for name in ("health", "logs")],
    "plugins": [f"tests/plugins/test_{name}.py" for name in ("metrics", "observers")],
}


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where its programs are. Where it cannot be had, these tests are skipped, and fail in CI."""
    try:
        return install.from_pypi(*(f"{name}=={DEBIAN_12[name]}" for name in DEBIAN_12), *TOOLS)
    except install.Unavailable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"the libraries of Debian 12 cannot be installed: {error}")


def test_t59_setup_asks_for_no_newer_library_than_debian_has_and_allows_every_newer_one() -> None:
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    asked = re.findall(r'"([a-z][\w-]+)([<>=!~]+)([^"]+)"', text)
    assert {name: version for name, _, version in asked} == DEBIAN_12
    assert {sign for _, sign, _ in asked} == {">="}


def test_t59_the_oldest_libraries_are_the_ones_in_use(programs: Path) -> None:
    command = [str(programs / "python"), "-c", VERSIONS, *DEBIAN_12]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(told.stdout) == DEBIAN_12


@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize("part", PARTS)
def test_t59_it_works_with_the_oldest_libraries(programs: Path, part: str) -> None:
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    done = subprocess.run(
        [str(programs / "python"), "-m", "pytest", "-q", *OLD_AGE, *PARTS[part]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout  # they were not all skipped
