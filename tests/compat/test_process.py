"""A Process that a program starts by hand."""

from __future__ import annotations

import signal

import psutil
import pytest

from circus.exc import SpawnError
from circus.process import DEAD_OR_ZOMBIE, RUNNING, UNEXISTING, Process
from tests.support import wait_until


def test_a_process_from_start_to_end() -> None:
    process = Process("top", 1, "read line || exit 1", shell=True, close_child_stdin=True)
    assert process.wait(timeout=20) == 1  # there is nothing to read
    assert process.returncode() == 1
    assert (process.is_alive(), process.status) == (False, UNEXISTING)
    assert process.info() == "No such process (stopped?)"
    process.close_output_channels()


def test_what_it_tells_while_it_runs() -> None:
    process = Process("top", 3, "sleep", args=["60"])
    assert (process.is_alive(), process.status, process.poll()) == (True, RUNNING, None)
    info = process.info()
    assert isinstance(info, dict)
    assert (info["pid"], info["wid"], info["started"]) == (process.pid, 3, process.started)
    assert 0 <= process.age() < 60
    assert process.wait(timeout=0) is None
    process.stop()
    assert process.wait(timeout=20) == -signal.SIGTERM
    assert process.status == UNEXISTING
    process.send_signal(signal.SIGKILL)  # nobody's pid any more


def test_its_output_can_be_read() -> None:
    process = Process("echo", 7, "echo $(circus.wid) $(circus.env.word)", env={"WORD": "hello"})
    assert process.stdout is not None
    assert process.stdout.read() == b"7 hello\n"
    assert process.wait(timeout=20) == 0
    process.close_output_channels()


def test_it_may_be_started_later() -> None:
    process = Process("sleep", 1, "sleep", args="60", spawn=False)
    assert (process.is_alive(), process.status, process.poll()) == (False, UNEXISTING, None)
    assert process.format_args() == ["sleep", "60"]
    process.send_signal(signal.SIGKILL)
    process.spawn()
    pid = process.pid
    process.spawn()
    assert process.pid == pid  # once is enough
    other = Process("sleep", 2, "sleep 60")
    assert sorted([other, process]) == [process, other]
    for one in (process, other):
        one.stop()
        one.wait(timeout=20)


def test_its_children_are_its_own() -> None:
    process = Process("parent", 1, "sleep 60 & echo $!; wait", shell=True)
    assert process.stdout is not None
    child = int(process.stdout.read(20))
    assert process.children() == [child]
    assert process.is_child(child)
    with pytest.raises(psutil.NoSuchProcess):
        process.send_signal_child(process.pid, signal.SIGTERM)
    process.send_signal_child(child, signal.SIGTERM)
    assert process.wait(timeout=20) is not None
    process.close_output_channels()


def test_all_its_children_are_signalled_and_it_is_not() -> None:
    process = Process("parent", 1, "sleep 60 & sleep 60 & echo; wait; echo over", shell=True)
    assert process.stdout is not None
    assert process.stdout.read(1) == b"\n"
    process.send_signal_children(signal.SIGKILL)
    assert process.stdout.read() == b"over\n"
    assert process.wait(timeout=20) == 0
    process.stop()  # it has ended: only its pipes are let go of
    assert process.stdout.closed


def test_output_that_nobody_reads_needs_no_pipe() -> None:
    process = Process("quiet", 1, "true", pipe_stdout=False, pipe_stderr=False)
    assert (process.stdout, process.stderr) == (None, None)
    assert process.wait(timeout=20) == 0
    process.stop()


def test_one_that_ended_is_seen_before_it_is_collected() -> None:
    process = Process("true", 1, "true")
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert DEAD_OR_ZOMBIE != RUNNING
    assert process.poll() == 0
    process.close_output_channels()


@pytest.mark.parametrize("options", [{}, {"rlimits": {"nofile": 100}}])
def test_what_cannot_be_started_is_raised(options: dict[str, dict[str, object]]) -> None:
    with pytest.raises(SpawnError, match="cannot start 'no-such-program'"):
        Process("none", 1, "no-such-program", rlimits=options.get("rlimits"))


def test_limits_are_kept() -> None:
    process = Process("limit", 1, "ulimit -n", shell=True, rlimits={"nofile": 100})
    assert process.stdout is not None
    assert process.stdout.read() == b"100\n"
    assert process.wait(timeout=20) == 0
    process.close_output_channels()
