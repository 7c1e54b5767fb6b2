"""Keys protect a `tcp://` endpoint, for commands and for events."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus.client import AsyncCircusClient, CircusClient, make_json
from circus.ctl.keygen import keygen
from circus.curve import client_keys, make_keys
from circus.exc import CallError
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
[circus]
endpoint = tcp://127.0.0.1:*
pubsub_endpoint = tcp://127.0.0.1:*
curve = True
curve_keys = KEYS
[watcher:w]
cmd = sleep 3600
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    keygen(str(folder), "chief")
    keygen(str(folder), "looker", "read")
    return folder


class Guarded:
    """A daemon on free ports, and where it is."""

    def __init__(self, config: str) -> None:
        self.daemon = Daemon(config)
        chosen = r"Control is at (\S+), events are at (\S+)"
        found = wait_until(lambda: re.search(chosen, self.daemon.text()))
        self.control, self.events = found.groups()


@pytest.fixture
def guarded(keys: Path) -> Iterator[Guarded]:
    found = Guarded(CONFIG.replace("KEYS", str(keys)))
    yield found
    found.daemon.stop()


def ask(
    guarded: Guarded, key: Path | None, command: str, timeout: float = 20, **properties: Any
) -> dict[str, Any]:
    path = None if key is None else str(key)
    client = CircusClient(endpoint=guarded.control, curve_key=path, timeout=timeout)
    try:
        return client.send_message(command, **properties)
    finally:
        client.stop()


def test_keys_decide_what_somebody_may_do(guarded: Guarded, keys: Path) -> None:
    chief, looker = keys / "chief.key_secret", keys / "looker.key_secret"
    assert ask(guarded, chief, "set", name="w", options={"priority": 3})["status"] == "ok"
    assert ask(guarded, looker, "get", name="w", keys=["priority"])["options"] == {"priority": 3}
    denial = ask(guarded, looker, "stop", name="w")
    assert denial["reason"].startswith(
        "denied: 'stop' on w needs operate; you are the holder of the key 'looker', who may read;"
    )
    assert denial["reason"].endswith("to write role = operate into the file of your key")
    record = guarded.daemon.text()
    assert "who=key:chief uid=- gid=- pid=- verb=set target=w details=priority" in record
    assert "who=key:looker uid=- gid=- pid=- verb=stop target=w details=- outcome=denied" in record


def test_without_a_known_key_nothing_gets_through(guarded: Guarded, keys: Path) -> None:
    """No answer, and no event: while somebody with a key gets both, and sees it happen."""
    with zmq.Context() as context:
        strangers = make_keys(str(keys.parent / "other"), "stranger", "admin")
        (keys.parent / "other" / "server.key").write_bytes((keys / "server.key").read_bytes())
        stranger = client_keys(str(strangers[2]))
        chief = client_keys(str(keys / "chief.key_secret"))
        deaf = [subscriber(context, guarded, None), subscriber(context, guarded, stranger)]
        mute = [asker(context, guarded, None), asker(context, guarded, stranger)]
        for sock in mute:
            sock.send(make_json("quit"), zmq.NOBLOCK)
        hearing, asking = subscriber(context, guarded, chief), asker(context, guarded, chief)
        for _ in range(20):
            asking.send(make_json("set", name="w", options={"priority": 1}))
            assert json.loads(asking.recv())["status"] == "ok"
        assert hearing.recv_multipart()[0] == b"watcher.w.updated"
        assert not any(sock.poll(0) for sock in (*deaf, *mute))
        for sock in (*deaf, *mute, hearing, asking):
            sock.close(linger=0)
    assert guarded.daemon.process.poll() is None


def test_keys_are_asked_for_from_the_restart_on_that_says_so(guarded: Guarded, keys: Path) -> None:
    """And no more after one that does not: the endpoints of another life are not kept then."""
    daemon, chief = guarded.daemon, keys / "chief.key_secret"
    with_keys = daemon.config.read_text()
    without = with_keys.replace("curve = True", "curve = False")
    for lives, (text, before, now) in enumerate(
        ((without, chief, None), (with_keys, None, chief)), 2
    ):
        daemon.write(text)
        assert ask(guarded, before, "restart")["status"] == "ok"
        guarded.control = wait_until(partial(control_of_life, daemon, lives))
        assert ask(guarded, now, "numwatchers")["numwatchers"] == 1
    with pytest.raises(CallError):
        ask(guarded, None, "numwatchers", timeout=1)


def control_of_life(daemon: Daemon, number: int) -> str | None:
    found = re.findall(r"Control is at (\S+),", daemon.text())
    return found[number - 1] if len(found) >= number else None


def subscriber(context: Any, guarded: Guarded, keys: Any) -> zmq.Socket[bytes]:
    return connected(context.socket(zmq.SUB), guarded.events, keys)


def asker(context: Any, guarded: Guarded, keys: Any) -> zmq.Socket[bytes]:
    return connected(context.socket(zmq.DEALER), guarded.control, keys)


def connected(sock: zmq.Socket[bytes], endpoint: str, keys: Any) -> zmq.Socket[bytes]:
    if sock.type == zmq.SUB:
        sock.subscribe(b"")
    if keys is not None:
        sock.curve_publickey, sock.curve_secretkey, sock.curve_serverkey = keys
    sock.setsockopt(zmq.RCVTIMEO, 20_000)
    sock.connect(endpoint)
    return sock


def test_a_key_that_is_taken_away_is_worth_nothing(guarded: Guarded, keys: Path) -> None:
    secret = keys / "looker.key_secret"
    old = CircusClient(endpoint=guarded.control, curve_key=str(secret), timeout=20)
    assert old.send_message("list")["status"] == "ok"
    (keys / "authorized" / "looker.key").unlink()
    ask(guarded, keys / "chief.key_secret", "list")  # whoever comes next, all are read again
    assert old.send_message("list")["reason"].startswith("denied: ")
    old.stop()


def spoil_secret(path: Path, text: str) -> None:
    """Write this in the place of the secret key."""
    path.write_text(re.sub('(secret-key = )".*"', f'\\1"{text}"', path.read_text()))


def test_every_client_takes_a_key(guarded: Guarded, keys: Path) -> None:
    command = [sys.executable, "-m", "circus.circusctl", "--endpoint", guarded.control]
    ended = subprocess.run(
        [*command, "--curve", str(keys / "chief.key_secret"), "status", "w"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "active\n"), ended.stderr

    async def status() -> dict[str, Any]:
        client = AsyncCircusClient(
            endpoint=guarded.control, curve_key=str(keys / "chief.key_secret"), timeout=20
        )
        try:
            return await client.send_message("status", name="w")
        finally:
            await client.stop()

    assert asyncio.run(status())["status"] == "active"
    with pytest.raises(CallError, match="holds no secret key"):
        CircusClient(endpoint=guarded.control, curve_key=str(keys / "server.key"))
    with pytest.raises(CallError, match="more than one"):
        CircusClient(endpoint=guarded.control, curve_key=str(keys))
    spoil_secret(keys / "chief.key_secret", "abc")
    with pytest.raises(
        CallError, match=r"chief\.key_secret holds a secret key that was .* cut off"
    ):
        CircusClient(endpoint=guarded.control, curve_key=str(keys / "chief.key_secret"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda secret: secret.unlink(), "cannot read .*/server.key_secret"),
        (lambda secret: secret.chmod(0o644), "others may read"),
        (lambda secret: secret.write_text("nothing"), "SECRET holds no key; rm it"),
        (lambda secret: secret.with_suffix(".key").replace(secret), "SECRET holds no secret key"),
        (lambda secret: spoil_secret(secret, "abc"), "SECRET holds a secret key that was changed"),
        (lambda secret: spoil_secret(secret, "~" * 40), "SECRET holds a secret key that was cha"),
        (lambda secret: spoil_secret(secret, "#" * 40), "SECRET holds a secret key that was cha"),
    ],
    ids=["none", "open", "another file", "public", "cut off", "strange letters", "too big"],
)
def test_it_does_not_start_without_sound_keys(keys: Path, spoil: Any, says: str) -> None:
    secret = keys / "server.key_secret"
    spoil(secret)
    says = says.replace("SECRET", str(secret))
    config = keys.parent / "circus.ini"
    config.write_text(CONFIG.replace("KEYS", str(keys)))
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert re.search(rf"curve: {says}.* make keys with: circusctl keygen {keys}$", last)


def test_made_keys_are_private(keys: Path) -> None:
    for path in keys.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert sorted(path.name for path in keys.rglob("*.key*")) == [
        "chief.key", "chief.key_secret", "looker.key", "looker.key_secret",
        "server.key", "server.key_secret",
    ]  # fmt: skip


def test_without_curve_everything_is_taken_but_code() -> None:
    open_to_all = Guarded(CONFIG.replace("curve = True\ncurve_keys = KEYS\n", ""))
    client = CircusClient(endpoint=open_to_all.control, timeout=20)
    try:
        asked = {"name": "w", "options": {"cmd": "sleep 1800"}}
        assert client.send_message("set", **asked)["status"] == "ok"
        for options in ({"hooks.before_start": "os.system"}, {"stdout_stream.class": "os.system"}):
            for verb, more in (("set", {"name": "w"}), ("add", {"name": "two", "cmd": "id"})):
                answer = client.send_message(verb, options=options, **more)
                assert answer["reason"].startswith(f"denied: '{verb}' of {next(iter(options))} ")
                assert answer["reason"].endswith("use the ipc:// endpoint")
        log = open_to_all.daemon.text()
        assert "who=unknown uid=- gid=- pid=- verb=set target=w details=cmd outcome=begun" in log
        assert ("nobody is asked for a name" in log) == (os.geteuid() == 0)
    finally:
        client.stop()
        open_to_all.daemon.stop()
