"""The names of circus.util, as programs for circus 0.19 use them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from circus import util
from tests.support import wait_until


def test_endpoints_of_old_programs() -> None:
    assert [
        util.DEFAULT_ENDPOINT_DEALER,
        util.DEFAULT_ENDPOINT_SUB,
        util.DEFAULT_ENDPOINT_STATS,
        util.DEFAULT_ENDPOINT_MULTICAST,
    ] == [
        "tcp://127.0.0.1:5555",
        "tcp://127.0.0.1:5556",
        "tcp://127.0.0.1:5557",
        "udp://237.219.251.97:12027",
    ]


@pytest.mark.parametrize(
    ("size", "text"), [(100, "100B"), (10001, "9.77K"), (2 * 1024**3, "2.00G")]
)
def test_sizes(size: int, text: str) -> None:
    assert util.bytes2human(size) == text
    assert util.human2bytes(text) == pytest.approx(size, rel=0.01)


@pytest.mark.parametrize("text", ["12", "K", "9.7.7K", "9 Y Z", ""])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        util.human2bytes(text)


def test_words() -> None:
    assert (util.to_bool("Yes"), util.to_bool("off")) == (True, False)
    assert (util.to_signum("term"), util.to_signum("SIGHUP"), util.to_signum("9")) == (15, 1, 9)
    assert (util.to_str(b"x"), util.to_str("x"), util.to_bytes("x")) == ("x", "x", b"x")
    assert util.parse_env_str("b=2, a=1") == {"b": "2", "a": "1"}
    assert util.env_to_str({"b": "2", "a": "1"}) == "a=1,b=2"


def test_options_as_text() -> None:
    assert util.convert_opt("env", {"b": "2", "a": "1"}) == "a=1,b=2"
    assert [util.convert_opt("x", value) for value in (None, True, 3)] == ["", "True", "3"]


def test_this_process() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)  # noqa: FBT003 it has no name there
    util.close_on_exec(reading)
    assert not os.get_inheritable(reading)
    os.close(reading)
    os.close(writing)
    assert util.get_python_version() == sys.version_info[:3]
    assert util.REDIRECT_TO == "/dev/null"


def test_users_and_groups() -> None:
    assert (util.get_default_gid("root"), util.get_default_gid(0)) == (0, 0)
    assert (util.get_username_from_uid(0), util.get_username_from_uid("x")) == ("root", "x")
    assert (util.to_uid("root"), util.to_gid("root"), util.to_uid("1000")) == (0, 0, 1000)
    with pytest.raises(ValueError, match="no-such-user"):
        util.to_uid("no-such-user")
    with pytest.raises(ValueError, match="it is empty"):
        util.to_uid("")
    with pytest.raises(TypeError):
        util.to_gid(None)  # type: ignore[arg-type]  # what old programs do


def test_the_folder_has_its_own_name_only_while_that_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(link))
    assert util.get_working_dir() == str(link)
    monkeypatch.setenv("PWD", "/")
    assert util.get_working_dir() == os.getcwd()


def test_what_is_told_of_a_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        # the kernel lets us go on a moment before it shows the words of the new program
        wait_until(lambda: Path(f"/proc/{child.pid}/cmdline").read_bytes())
        found = util.get_info(child)
        assert isinstance(found, dict)
        assert (found["pid"], found["cmdline"], found["children"]) == (child.pid, "sleep", [])
        mine = util.get_info(with_childs=True)
        assert isinstance(mine, dict)
        assert child.pid in [one["pid"] for one in mine["children"]]
        child.kill()
    assert util.get_info(child.pid) == "No such process (stopped?)"


def test_a_failure_is_logged_and_returned(caplog: pytest.LogCaptureFixture) -> None:
    failed: Future[None] = Future()
    assert util.check_future_exception_and_log(failed) is None
    failed.set_exception(ValueError("no"))
    assert isinstance(util.check_future_exception_and_log(failed), ValueError)
    assert [(one.name, one.message) for one in caplog.records] == [("circus", "no")]


def test_a_log_as_circusd_writes_it() -> None:
    code = """
import logging
from circus import logger
from circus.util import configure_logger
configure_logger(logger, "DEBUG", "-")
logger.debug("here")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr.endswith("[DEBUG] here\n")


def test_names_are_found() -> None:
    assert util.resolve_name("circus.util.to_bool") is util.to_bool
    with pytest.raises(util.ImportStringError):
        util.resolve_name("circus.nothing")
