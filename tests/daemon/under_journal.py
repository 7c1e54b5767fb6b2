"""`python under_journal.py ARGUMENT…` is circusd with its output in the journal."""

from __future__ import annotations

import os
import sys

from circus import circusd
from circus.host.journal import open_stream

fd = open_stream("circusd", 6)
there = os.fstat(fd)
os.environ["JOURNAL_STREAM"] = f"{there.st_dev}:{there.st_ino}"
for end in (1, 2):
    os.dup2(fd, end)
os.close(fd)
sys.exit(circusd.main(sys.argv[1:]))
