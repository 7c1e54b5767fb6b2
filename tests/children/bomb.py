"""Starts as many as its argument says, each getting away in another way, then takes no notice."""

import os
import signal
import sys

for number in range(int(sys.argv[1])):
    if os.fork() == 0:
        if number & 1:
            os.setsid()
        if number & 2 and os.fork():
            os._exit(0)  # nobody's child is left
        if number & 4:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.execve("/bin/sleep", ["sleep", "100000"], {})  # nothing tells whose it is
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
