"""A real circushttpd before a real circusd, and what a browser would do with it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from tests.support import free_port, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support import Daemon

CSRF = re.compile(r'<meta name="csrf" content="(\w*)">')


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers["Location"] or ""


class Browser:
    """Keeps cookies, and says of its requests what a browser does.

    `path`: the Unix socket to go to, for who is the proxy that browsers know by this port.
    """

    def __init__(self, port: int, path: str = "") -> None:
        self.port = port
        self._path = path
        self.host = f"localhost:{port}"
        self.origin = f"http://{self.host}"
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; `headers` go before those of a browser."""
        with contextlib.closing(self.send(method, path, body, headers)) as connection:
            found = connection.getresponse()
            answer = Answer(found.status, found.headers, found.read())
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
        return answer

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> http.client.HTTPConnection:
        """A request whose answer is still to come, on a connection that is the caller's."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Host": self.host, "Accept": "text/html"}
        own |= {"Cookie": cookies} if cookies else {}
        connection = self._connection()
        connection.request(method, path, body, {**own, **(headers or {})})
        return connection

    def _connection(self) -> http.client.HTTPConnection:
        found = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if self._path:
            found.sock = socket.socket(socket.AF_UNIX)
            found.sock.connect(self._path)
        return found

    def enter(self, ticket: str) -> None:
        """Log in by a link."""
        self.cookies.clear()
        answer = self.post("/login", {"ticket": ticket}, page=f"/login?ticket={ticket}")
        assert answer.status == 303, answer.text

    def get(self, path: str, **headers: str) -> Answer:
        """`headers`: names with _ for -."""
        return self.ask("GET", path, headers=spelled(headers))

    def post(
        self, path: str, fields: Mapping[str, str] | None = None, *, page: str = "/", **headers: str
    ) -> Answer:
        """As the form of `page` would send it."""
        csrf = self.csrf(page)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        body = urlencode({"csrf": csrf, **(fields or {})})
        return self.ask("POST", path, body, {**form, **spelled(headers)})

    def csrf(self, page: str = "/") -> str:
        """What forms of that page bring back; nothing when it shows none."""
        found = CSRF.search(self.get(page).text)
        return found[1] if found else ""


def spelled(headers: Mapping[str, str]) -> dict[str, str]:
    """Names of headers from names of arguments."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Console(Browser):
    """A circushttpd, and a browser before it. `options`: of its section [console].

    `inside`: the beginning of a command line that starts it elsewhere.
    """

    def __init__(
        self, daemon: Daemon, options: str = "", *flags: str, inside: Sequence[str] = ()
    ) -> None:
        super().__init__(free_port())
        self.daemon = daemon
        self.flags = flags
        self._inside = inside
        self.log = daemon.folder / "circushttpd.log"
        self.config = daemon.folder / "console.ini"
        self.state = daemon.folder / "state"
        self.state.mkdir(exist_ok=True)
        own = f"[console]\nendpoint = {daemon.endpoint}\nport = {self.port}\n"
        options = options.replace("FOLDER", str(daemon.folder))
        self.config.write_text(f"{own}state_dir = {self.state}\n{options}")
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[bytes]:
        """Start it; again, when it has ended."""
        command = [sys.executable, "-m", "circus.web.circushttpd", "--config", str(self.config)]
        before = self._announced()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._inside, *command, *self.flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "CIRCUSCTL_ENDPOINT": ""},
            )
        wait_until(lambda: self._announced() > before or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        return self.process

    def _announced(self) -> int:
        return self.text().count("Listening on ")

    def text(self) -> str:
        """Its log so far."""
        return text_of(self.log)

    def audit(self) -> list[str]:
        """Its lines of the record."""
        return re.findall(r"circus\.audit\[\d+\] \[\w+\] (Console .*)", self.text())

    def login(self, role: str = "admin", daemon: Daemon | None = None) -> Console:
        """By a link for whoever runs the tests, that lets them do so much; of ours, or another."""
        self.enter(self.ticket(role, daemon))
        return self

    def ticket(self, role: str = "admin", daemon: Daemon | None = None) -> str:
        """What a link would hold."""
        return str((daemon or self.daemon).call("console-login", grants=role)["ticket"])

    def raw(self, data: bytes) -> bytes:
        """All that comes back when exactly this is sent, until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            found = b""
            while piece := sock.recv(65536):
                found += piece
            return found

    def stop(self) -> int:
        """End it; nothing may have gone wrong inside."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"circushttpd does not end\n{self.text()}") from None
        assert "Traceback" not in self.text(), self.text()
        return status
