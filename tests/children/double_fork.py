"""Leaves a daemon behind: own session and group, no parent, deaf to SIGTERM."""

import os
import signal

if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"ready %d\n" % os.getpid())
    os.execv("/bin/sleep", ["sleep", "100000"])
os.wait()
while True:
    signal.pause()
