"""Uses as many megabytes as the first argument says; a child for each further one does that too."""

import os
import signal
import sys

mine, *others = map(int, sys.argv[1:])
for other in others:
    if os.fork() == 0:
        mine = other
        break
used = os.urandom(1) * mine * 1_000_000
os.write(1, b"ready %d\n" % os.getpid())
while True:
    signal.pause()
