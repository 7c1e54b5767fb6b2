"""What holds for every test."""

import os
import signal

import prctl
import pytest
from hypothesis import settings

from tests.proof.results import ROOT, Recorder

# orphans of what a test starts become ours, so that a test can tell that there are none
prctl.set_child_subreaper(1)
# whoever is started in the background by a shell ignores Ctrl-C, and who by nohup, that a terminal
# is gone; so would what tests start
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# a machine that is busy with something else is no defect
settings.register_profile("circus", deadline=None)
settings.load_profile("circus")


def pytest_configure(config: pytest.Config) -> None:
    """A part of tox.ini keeps what it showed."""
    part = os.environ.get("TOX_ENV_NAME", "")
    if part and (ROOT / "tests" / part).is_dir():
        whole = config.invocation_params.args == (f"tests/{part}",)
        config.pluginmanager.register(Recorder(part, whole=whole))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Another Debian than that of this machine is asked for by name."""
    parser.addoption("--suite", help="the Debian that packages and units are tested in")


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian to build, install and boot."""
    from tests.deb import roots  # which asks what this machine is

    name: str | None = request.config.getoption("--suite")
    return name or roots.HERE
