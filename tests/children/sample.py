"""Stands for the programs of the documentation's samples: tells its arguments, serves a socket.

The first argument that is the number of an inherited socket is served, each connection with our
pid. Started as FOLDER/bin/NAME it writes FOLDER/told/PID.json when it is ready.
"""

import json
import os
import signal
import socket
import stat
import sys
from pathlib import Path


def inherited(argument: str) -> bool:
    try:
        return int(argument) > 2 and stat.S_ISSOCK(os.fstat(int(argument)).st_mode)
    except (ValueError, OSError):
        return False


os.write(1, b"ready %d\n" % os.getpid())
told = Path(sys.argv[0]).parent.parent / "told" / f"{os.getpid()}.json"
told.with_suffix(".new").write_text(json.dumps(sys.argv[1:]))
told.with_suffix(".new").rename(told)
number = next((int(argument) for argument in sys.argv[1:] if inherited(argument)), None)
while number is None:
    signal.pause()
sock = socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM)
while True:
    connection, _ = sock.accept()
    connection.sendall(str(os.getpid()).encode())
    connection.close()
