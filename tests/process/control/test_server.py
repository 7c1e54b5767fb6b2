"""The two sockets of the daemon, with real clients in threads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus import wire
from circus.access import Peer
from circus.client import AsyncCircusClient, CircusClient, cast_message, make_json, make_message
from circus.control.bound import FRAME_BYTES_MAX
from circus.control.server import BATCH, ControlServer
from circus.exc import CallError, CircusError, ConflictError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Echo:
    """Answers with the command; `later` answers when it is told to."""

    def __init__(self) -> None:
        self.later: list[asyncio.Future[bytes | None]] = []
        self.seen = 0
        self._more = asyncio.Event()

    async def has_seen(self, count: int) -> None:
        while self.seen < count:
            self._more.clear()
            await self._more.wait()

    def __call__(self, payload: bytes, peer: Peer) -> bytes | asyncio.Future[bytes | None] | None:
        self.seen += 1
        self._more.set()
        try:
            message = wire.decode(payload)
        except CircusError as error:
            return wire.failure(error, None, 1.0)
        if message.get("command") == "later":
            self.later.append(asyncio.get_running_loop().create_future())
            return self.later[-1]
        if wire.is_cast(message):
            return None
        return wire.success({"said": message.get("command")}, message.get("id"), 1.0)


def serve(
    folder: Path, test: Callable[[ControlServer, Echo], Awaitable[None]], **options: Any
) -> None:
    """Run `test` beside a server."""

    async def run() -> None:
        echo = Echo()
        endpoints = f"ipc://{folder}/control", f"ipc://{folder}/pubsub"
        server = ControlServer(*endpoints, echo, **options)
        server.start()
        try:
            await test(server, echo)
        finally:
            server.close()

    asyncio.run(run())
    assert os.listdir(folder) == []


async def apart(function: Callable[..., Any], *arguments: object) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def exchange(kind: int, endpoint: str, *messages: list[bytes], within_ms: int = 10_000) -> Any:
    """Send all, then collect as many answers."""
    with zmq.Context() as context, context.socket(kind) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(endpoint)
        answers = []
        for message in messages:
            sock.send_multipart(message)
            if kind == zmq.REQ:
                assert sock.poll(within_ms)
                answers.append(sock.recv_multipart())
        while len(answers) < len(messages):
            assert sock.poll(within_ms), f"{len(answers)} of {len(messages)} answers"
            answers.append(sock.recv_multipart())
        return answers


def test_both_framings_are_answered_in_kind(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        message = make_json("list")
        for kind in (zmq.DEALER, zmq.REQ):
            ((answer,),) = await apart(exchange, kind, server.endpoint, [message])
            assert json.loads(answer)["said"] == "list"
        (frames,) = await apart(exchange, zmq.DEALER, server.endpoint, [b"", message])
        assert frames[0] == b""
        assert json.loads(frames[1])["said"] == "list"
        (frames,) = await apart(exchange, zmq.DEALER, server.endpoint, [b"7", b"", message])
        assert frames[:2] == [b"7", b""]

    serve(folder, test)


@pytest.mark.parametrize(
    "frames", [[b"a", b"b"], [b"a", b"b", b"c"], [b"", b"a", b"b"], [b""], [b"", b""]]
)
def test_wrong_frames_are_answered_in_words(folder: Path, frames: list[bytes]) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        for kind in (zmq.DEALER, zmq.REQ):
            (answer,) = await apart(exchange, kind, server.endpoint, frames)
            found = json.loads(answer[-1])
            assert found["status"] == "error"
            assert found["reason"]

    serve(folder, test)


def test_many_at_once_are_all_answered(folder: Path) -> None:
    """More than one turn takes: nothing is left lying when the descriptor falls silent."""

    async def test(server: ControlServer, echo: Echo) -> None:
        messages = [[make_json("list")]] * (BATCH * 10 + 7)
        with ThreadPoolExecutor(8) as threads:
            loop = asyncio.get_running_loop()
            clients = [
                loop.run_in_executor(threads, exchange, zmq.DEALER, server.endpoint, *messages)
                for _ in range(8)
            ]
            found = await asyncio.gather(*clients)
        assert [len(answers) for answers in found] == [len(messages)] * 8
        assert echo.seen == len(messages) * 8

    serve(folder, test)


def test_answers_that_come_later(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        asked = asyncio.ensure_future(
            apart(exchange, zmq.DEALER, server.endpoint, [make_json("later")], [make_json("now")])
        )
        await echo.has_seen(2)
        echo.later[0].set_result(b'"then"')
        assert [json.loads(answer)["said"] for (answer,) in (await asked)[:1]] == ["now"]
        assert (await asked)[1] == [b'"then"']

    serve(folder, test)


def test_nothing_goes_on_after_the_end(folder: Path) -> None:
    wrong: list[dict[str, Any]] = []

    def flood(endpoint: str) -> None:
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.setsockopt(zmq.LINGER, 0)
            dealer.setsockopt(zmq.SNDTIMEO, 200)  # nobody is there in the end
            dealer.connect(endpoint)
            with contextlib.suppress(zmq.Again):
                for _ in range(3000):
                    dealer.send(make_json("list"))

    async def test(server: ControlServer, echo: Echo) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: wrong.append(what))
        flooding = asyncio.ensure_future(apart(flood, server.endpoint))
        await echo.has_seen(20 * BATCH)
        server.close()
        await flooding
        assert wrong == []

    for _ in range(8):  # it takes a wake-up in the middle of a batch
        serve(folder, test)


def test_the_oldest_is_given_up_when_too_many_wait(folder: Path) -> None:
    def ask(endpoint: str) -> list[dict[str, Any]]:
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.setsockopt(zmq.LINGER, 0)
            dealer.connect(endpoint)
            for command in (*["later"] * 5, "list"):
                dealer.send(make_json(command))
            return [json.loads(dealer.recv()) for _ in range(3) if dealer.poll(10_000)]

    async def test(server: ControlServer, echo: Echo) -> None:
        first, second, third = await apart(ask, server.endpoint)
        for refused in (first, second):
            assert refused["reason"].startswith("no longer waited for: 3 later requests")
        assert third["said"] == "list"
        assert [one.cancelled() for one in echo.later] == [True, True, False, False, False]

    serve(folder, test, pending_max=3)


def test_the_last_answers_still_go_out(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        asked = asyncio.ensure_future(
            apart(exchange, zmq.DEALER, server.endpoint, [make_json("later")])
        )
        await echo.has_seen(1)
        echo.later[0].set_result(b"bye")
        server.close()
        assert await asked == [[b"bye"]]

    serve(folder, test)


def test_a_client_that_has_gone_is_no_trouble(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def ask_and_leave(endpoint: str) -> None:
        with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
            sock.connect(endpoint)
            sock.send(make_json("later"))
            assert not sock.poll(200)
            sock.setsockopt(zmq.LINGER, 0)

    async def test(server: ControlServer, echo: Echo) -> None:
        # that a client has gone comes to be known a moment later, or once more is sent
        for _ in range(50):
            await apart(ask_and_leave, server.endpoint)
            (answer,) = await apart(exchange, zmq.DEALER, server.endpoint, [make_json("list")])
            assert json.loads(answer[0])["said"] == "list"
            echo.later[-1].set_result(b"nobody hears this")
            await asyncio.sleep(0)  # for the answer to be sent
            if "Cannot deliver an answer: Host unreachable" in caplog.text:
                return
        raise AssertionError(caplog.text)

    with caplog.at_level("INFO"):
        serve(folder, test)


def test_what_is_far_too_long_does_not_reach_us(folder: Path) -> None:
    def flood(endpoint: str) -> int:
        with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
            sock.setsockopt(zmq.LINGER, 0)
            sock.connect(endpoint)
            sock.send(b"x" * (wire.LIMIT_BYTES + 1))
            assert sock.poll(10_000)
            assert "the limit is" in json.loads(sock.recv())["reason"]
            sock.send(b"x" * (FRAME_BYTES_MAX + 1))
            return sock.poll(300)

    async def test(server: ControlServer, echo: Echo) -> None:
        assert await apart(flood, server.endpoint) == 0
        assert echo.seen == 1

    serve(folder, test)


def test_events_reach_those_who_subscribed(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as sub:
            sub.setsockopt(zmq.LINGER, 0)
            sub.subscribe(b"watcher.web.")
            sub.connect(server.pubsub_endpoint)
            while not sub.poll(10):
                server.publish(b"watcher.other.spawn", b"{}")
                server.publish(b"watcher.web.spawn", b'{"n": 1}')
                await asyncio.sleep(0)
            assert sub.recv_multipart() == [b"watcher.web.spawn", b'{"n": 1}']
        server.close()
        server.publish(b"a", b"b")  # nobody is there, and that is fine

    serve(folder, test)


def test_t51_files_are_ours_alone(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        for name in ("control", "pubsub"):
            found = (folder / name).stat()
            assert stat.S_ISSOCK(found.st_mode)
            assert stat.S_IMODE(found.st_mode) == 0o600

    serve(folder, test)


def test_t41_a_second_daemon_is_refused(folder: Path) -> None:
    async def test(server: ControlServer, echo: Echo) -> None:
        second = ControlServer(server.endpoint, f"ipc://{folder}/other", echo)
        with pytest.raises(
            ConflictError, match=r"cannot bind the control endpoint .*another circusd"
        ):
            second.start()
        assert sorted(os.listdir(folder)) == ["control", "control.lock", "pubsub", "pubsub.lock"]
        (answer,) = await apart(exchange, zmq.DEALER, server.endpoint, [make_json("list")])
        assert json.loads(answer[0])["said"] == "list"

    serve(folder, test)


def test_t39_a_bind_that_fails_leaves_everything_as_it_was(folder: Path) -> None:
    async def run() -> None:
        before = os.umask(0o027)
        try:
            server = ControlServer(f"ipc://{folder}/control", "tcp://300.0.0.1:1", Echo())
            with pytest.raises(
                CircusError, match=r"cannot bind the event endpoint tcp://300\.0\.0\.1:1"
            ):
                server.start()
            assert os.umask(0o027) == 0o027
        finally:
            os.umask(before)
        assert os.listdir(folder) == []

    asyncio.run(run())


def test_tcp_endpoints_work_and_conflicts_are_told() -> None:
    async def run() -> None:
        server = ControlServer("tcp://127.0.0.1:*", "tcp://127.0.0.1:*", Echo())
        server.start()
        try:
            assert server.endpoint.startswith("tcp://127.0.0.1:")
            (answer,) = await apart(exchange, zmq.DEALER, server.endpoint, [make_json("list")])
            assert json.loads(answer[0])["said"] == "list"
            with pytest.raises(CircusError, match="Address already in use"):
                ControlServer(server.endpoint, "tcp://127.0.0.1:*", Echo()).start()
        finally:
            server.close()

    asyncio.run(run())


def test_our_own_client(folder: Path) -> None:
    def talk(endpoint: str) -> None:
        client = CircusClient(endpoint=endpoint, timeout=10)
        assert client.send_message("list", name="x")["said"] == "list"
        assert client.call(make_message("status"))["said"] == "status"
        assert client.call(cast_message("quit")) == {}
        with pytest.raises(DeprecationWarning):
            client.call("list")  # type: ignore[arg-type]  # as very old programs did
        client.stop()

    async def test(server: ControlServer, echo: Echo) -> None:
        await apart(talk, server.endpoint)
        client = AsyncCircusClient(endpoint=server.endpoint)
        assert (await client.send_message("list"))["said"] == "list"
        assert await client.call(cast_message("quit")) == {}
        await client.stop()

    serve(folder, test)


def test_t55_a_patient_client_waits_while_the_daemon_lives(folder: Path) -> None:
    def wait_long(endpoint: str) -> dict[str, Any]:
        client = CircusClient(endpoint=endpoint, timeout=0.1)
        try:
            return client.call(make_message("later"), patient=True)
        finally:
            client.stop()

    async def test(server: ControlServer, echo: Echo) -> None:
        asked = asyncio.ensure_future(apart(wait_long, server.endpoint))
        await echo.has_seen(5)  # one request, then the questions whether we live
        # the client's own id is not known here: an error without one is for whoever asks
        echo.later[0].set_result(wire.failure(CircusError("done"), None, 1.0))
        assert (await asked)["reason"] == "done"

    serve(folder, test)


def test_silence_is_told_from_absence(folder: Path) -> None:
    def ask(endpoint: str, *, patient: bool) -> str:
        client = CircusClient(endpoint=endpoint, timeout=0.1)
        try:
            with pytest.raises(CallError) as caught:
                client.call(make_message("later"), patient=patient)
            return str(caught.value)
        finally:
            client.stop()

    async def test(server: ControlServer, echo: Echo) -> None:
        assert await apart(lambda: ask(server.endpoint, patient=False)) == "Timed out."

    serve(folder, test)
    for patient in (True, False):
        reason = ask(f"ipc://{folder}/control", patient=patient)
        assert reason.startswith("Timed out. No circusd listens at ipc://")


@pytest.mark.parametrize("endpoint", ["nonsense", "ipc://", "tcp://127.0.0.1:nope"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(CallError, match="cannot connect to"):
        CircusClient(endpoint=endpoint)
