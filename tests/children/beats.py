"""Sends a sign of life to UDP port ARGV[1] now and then, and odd things; SIGUSR1 silences it."""

import os
import select
import signal
import socket
import sys

loud = [True]
signal.signal(signal.SIGUSR1, lambda *_: loud.clear())
sock = socket.socket(type=socket.SOCK_DGRAM)
os.write(1, b"ready %d\n" % os.getpid())
while loud:
    for text in (b"%d;0" % os.getpid(), b"nonsense", b"\xff;\xff", b"-1;0"):
        sock.sendto(text, ("127.0.0.1", int(sys.argv[1])))
    select.select((), (), (), 0.05)
while True:
    signal.pause()
