"""Serves index.html, and at /events each event of circusd as it happens (text/event-stream)."""

from __future__ import annotations

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from circus.consumer import CircusConsumer

PAGE = Path(__file__).with_name("index.html")


class Handler(BaseHTTPRequestHandler):
    """One request; each has a thread of its own."""

    def do_GET(self) -> None:
        """The page, or the events for as long as somebody reads them."""
        if self.path == "/":
            self._begin("text/html; charset=utf-8")
            self.wfile.write(PAGE.read_bytes())
        elif self.path == "/events":
            self._begin("text/event-stream")
            self._events()
        else:
            self.send_error(404)

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def _events(self) -> None:
        with CircusConsumer("watcher.") as events:
            for topic, message in events:
                self.wfile.write(b"data: %b %b\n\n" % (topic, message))

    def log_message(self, *_: object) -> None:
        """The page shows what there is to see."""


class Server(ThreadingHTTPServer):
    """Listens where circusd does, and ends without waiting for who still reads."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody has closed the page: that is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


server = Server(("", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=int(sys.argv[1]))
print(f"http://127.0.0.1:{server.socket.getsockname()[1]}/ shows the events", flush=True)
server.serve_forever()
