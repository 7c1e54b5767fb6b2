"""Kills workers that do not send a sign of life."""

from __future__ import annotations

import logging
import re
import socket
import time
from typing import TYPE_CHECKING, Any

from circus.config.plugins import PREFIX
from circus.exc import ArgumentError
from circus.plugins.statsd import BaseObserver

if TYPE_CHECKING:
    from circus.plugins.base import Event

logger = logging.getLogger(__name__)

DATAGRAM = 1024
"""Bytes that a sign of life may have."""


class WatchDog(BaseObserver):
    """Workers send datagrams such as `PID;TIMESTAMP` to a port of ours.

    One of a watcher whose name matches `watchers_regex` that says nothing for `loop_rate` times
    `max_count` seconds is killed. What is not a sign of life of such a worker is passed over.
    """

    name = "watchdog"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.watchers_regex = _regex("watchers_regex", config, ".*")
        self.msg_regex = _regex("msg_regex", config, "^(?P<pid>.*);(?P<timestamp>.*)$")
        if "pid" not in self.msg_regex.groupindex:
            raise ArgumentError("msg_regex: it needs a group (?P<pid>…)")
        self.max_count = int(config.get("max_count", 3))
        self.watchdog_ip = config.get("ip", "127.0.0.1")
        self.watchdog_port = int(config.get("port", 1664))
        self.stop_signal = config.get("watchers_stop_signal")
        self.graceful_timeout = config.get("watchers_graceful_timeout")
        self.pid_status: dict[int, dict[str, Any]] = {}
        """By pid: the watcher, and when it was last heard of, in monotonic seconds."""
        self.sock: socket.socket
        self._discovered = False

    def handle_init(self) -> None:
        """Listen."""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind((self.watchdog_ip, self.watchdog_port))
        self.loop.add_handler(self.sock, self.receive_udp_socket, self.loop.READ)
        super().handle_init()

    def handle_stop(self) -> None:
        """Listen no more."""
        self.loop.remove_handler(self.sock)
        self.sock.close()
        super().handle_stop()

    def handle_recv(self, data: Event) -> None:
        """Workers come and go."""
        name, action, message = self.split_data(data)
        if action == "spawn":
            self._add(name, int(self.load_message(message)["process_pid"]))
        elif action == "reap":
            self.pid_status.pop(int(self.load_message(message)["process_pid"]), None)

    def receive_udp_socket(self, sock: socket.socket, _events: int = 0) -> None:
        """Take in all signs of life that have come."""
        while True:
            try:
                data, _ = sock.recvfrom(DATAGRAM)
            except OSError:  # there are no more
                return
            self._heard(data.decode("utf-8", "replace").strip())

    def look_after(self) -> None:
        """Kill those who have been silent for too long."""
        self._discover()
        limit = time.monotonic() - self.loop_rate * self.max_count
        silent = [pid for pid, one in self.pid_status.items() if one["last_activity"] < limit]
        for pid in silent:
            watcher = self.watcher_of(self.pid_status.pop(pid)["watcher"])
            logger.warning("%s (pid %d) has sent no sign of life and is killed", watcher, pid)
            self.cast("kill", name=watcher, pid=pid, **self._how())

    def _how(self) -> dict[str, Any]:
        given = {"signum": self.stop_signal, "graceful_timeout": self.graceful_timeout}
        found = {key: value for key, value in given.items() if value}
        if "graceful_timeout" in found:
            found["graceful_timeout"] = float(found["graceful_timeout"])
        return found

    def _heard(self, text: str) -> None:
        match = self.msg_regex.match(text)
        pid = match["pid"].strip() if match else ""
        if pid.isdecimal() and int(pid) in self.pid_status:
            self.pid_status[int(pid)]["last_activity"] = time.monotonic()
        else:
            logger.debug("No sign of life: %r", text)

    def _discover(self) -> None:
        """Once: those that ran before we heard of events. Later their ends might be missed."""
        if self._discovered:
            return
        for name in self.call("list")["watchers"]:
            if not name.startswith(PREFIX) and self.watchers_regex.match(name):
                for pid in self.call("list", name=name).get("pids", []):
                    self._add(name, pid)
        self._discovered = True

    def _add(self, watcher: str, pid: int) -> None:
        if not watcher.startswith(PREFIX) and self.watchers_regex.match(watcher):
            now = time.monotonic()
            self.pid_status.setdefault(pid, {"watcher": watcher, "last_activity": now})


def _regex(key: str, config: dict[str, Any], default: str) -> re.Pattern[str]:
    try:
        return re.compile(config.get(key, default))
    except re.error as error:
        raise ArgumentError(f"{key}: {config[key]!r} is no regular expression: {error}") from error
