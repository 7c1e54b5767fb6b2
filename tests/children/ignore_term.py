"""Ends at nothing but SIGKILL."""

import os
import signal

for one in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(one, signal.SIG_IGN)
os.write(1, b"ready %d\n" % os.getpid())
while True:
    signal.pause()
