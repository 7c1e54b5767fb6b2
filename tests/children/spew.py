"""Writes so many numbered lines of 100 bytes, as fast as it can, and ends."""

import os
import sys

count = int(sys.argv[1])
out = sys.stdout.buffer
out.write(f"ready {os.getpid()}\n".encode())
for number in range(count):
    out.write(f"{number:099d}\n".encode())
out.flush()
