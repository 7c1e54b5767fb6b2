"""Ends at once at SIGTERM, and leaves a child in a session of its own."""

import os
import signal

child = os.fork()
if child == 0:
    os.setsid()
    os.write(1, b"ready %d\n" % os.getpid())
while True:
    signal.pause()
