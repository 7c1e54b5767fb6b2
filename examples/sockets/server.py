"""A worker of circus.ini: greets whoever connects. Its argument is the number of the socket."""

from __future__ import annotations

import os
import socket
import sys

with socket.socket(fileno=int(sys.argv[1])) as listening:
    while True:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(f"Hello from {os.getpid()}\n".encode())
