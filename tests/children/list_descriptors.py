"""Writes its descriptors as a line to a file, and lives on."""

import os
import signal
import sys

found = os.listdir("/proc/self/fd")
# one of them was for reading that folder, and is closed by now
still = sorted(int(fd) for fd in found if os.path.exists(f"/proc/self/fd/{fd}"))
with open(sys.argv[1], "a") as file:
    file.write(" ".join(map(str, still)) + "\n")
while True:
    signal.pause()
