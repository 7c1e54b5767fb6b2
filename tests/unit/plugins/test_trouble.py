"""What stands in a plugin's way, without a circusd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import runpy
import socket
from pathlib import Path

import pytest

from circus.exc import CircusError
from circus.plugins.emit import Statsd
from circus.plugins.host import main
from circus.plugins.loop import PluginLoop
from circus.plugins.metrics.http import AT_ONCE, Server, listening
from circus.plugins.metrics.plugin import write


def test_no_host_for_statsd_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    statsd = Statsd("app", "no..host")  # which no name service is asked for
    statsd.increment("one")
    statsd.gauge("two", 2)
    (said,) = caplog.messages
    assert said.startswith("Cannot send to statsd at no..host: ")
    statsd.stop()


def test_what_is_too_long_for_statsd_holds_up_nothing() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        statsd = Statsd("app", "127.0.0.1", server.getsockname()[1])
        statsd.increment("long" * 50_000)
        statsd.increment("short")
        assert server.recv(1000) == b"app.short:1|c"
        statsd.stop()


# -- metrics ------------------------------------------------


@pytest.mark.parametrize("place", ["9779", ":9779", "localhost:", "localhost:http", "/run/metrics"])
def test_a_place_that_is_none_is_told(place: str) -> None:
    with pytest.raises(CircusError, match=f"^listen: '{place}' is neither HOST:PORT nor unix:PATH"):
        listening(place)


def test_the_socket_of_an_earlier_one_is_replaced_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    place = f"unix:{path}"
    with listening(place), pytest.raises(CircusError, match="Address already in use"):
        listening(place)
    assert path.exists()  # nobody listens there
    listening(place).close()
    path.unlink()
    path.write_text("not a socket")
    with pytest.raises(CircusError, match="Address already in use"):
        listening(place)
    assert path.read_text() == "not a socket"


def test_numbers_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write(str(tmp_path / "folder"), "numbers")
    with pytest.raises(FileNotFoundError):
        write(str(tmp_path / "nowhere" / "file"), "numbers")
    assert os.listdir(tmp_path) == ["folder"]


def test_those_who_say_nothing_keep_others_out_until_they_go(tmp_path: Path) -> None:
    path = str(tmp_path / "metrics")

    async def page(_accepted: str) -> tuple[str, str]:
        return "text/plain", "numbers"

    async def ask() -> bytes:
        reader, writer = await asyncio.open_unix_connection(path)
        found = b""
        with contextlib.suppress(ConnectionError):
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            found = await reader.read()
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        return found

    async def main() -> bytes:
        server = Server(listening(f"unix:{path}"), page)
        await server.begin()
        silent = [(await asyncio.open_unix_connection(path))[1] for _ in range(AT_ONCE)]
        assert await ask() == b""
        for one in silent:
            one.close()
        while not (found := await ask()):
            pass
        server.close()
        return found

    assert asyncio.run(asyncio.wait_for(main(), 20)).endswith(b"\r\n\r\nnumbers")


# -- run by hand ------------------------------------------------


def test_without_a_class_it_says_how_it_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: circus-plugin ")


@pytest.mark.parametrize("program", ["circus.plugins", "circus.stats"])
def test_a_process_that_it_starts_does_not_run_it_again(program: str) -> None:
    """Python's multiprocessing loads the program that it is used by, under another name."""
    found = runpy.run_module(f"{program}.__main__", run_name="__mp_main__")
    assert callable(found["main"])


# -- the loop ------------------------------------------------


def test_what_a_task_fails_with_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    loop = PluginLoop()

    async def fail() -> None:
        loop.call_later(0, loop.stop)
        raise ValueError("no")

    loop.add_callback(fail)
    loop.start()
    assert caplog.messages == ["A task of the plugin failed"]
    loop.close()


def test_a_loop_can_run_for_one_call() -> None:
    loop = PluginLoop()

    async def later() -> str:
        return "later"

    assert loop.run_sync(lambda: "at once") == "at once"
    assert loop.run_sync(later) == "later"
    with pytest.raises(TimeoutError):
        loop.run_sync(loop.create_future, timeout=0.01)
    loop.close()


def test_a_loop_tells_when_something_can_be_written() -> None:
    loop = PluginLoop()
    reading, writing = os.pipe()

    def writable(fd: int, events: int) -> None:
        assert (fd, events) == (writing, loop.WRITE)
        loop.remove_handler(fd)
        loop.stop()

    loop.add_handler(writing, writable, loop.WRITE)
    loop.start()
    loop.close()
    os.close(reading)
    os.close(writing)
