"""Puts jobs into the queue: python3 put.py NUMBER."""

from __future__ import annotations

import sys

import redis

jobs = [f"job{number}" for number in range(int(sys.argv[1]))]
waiting = redis.Redis(unix_socket_path="redis.sock").rpush("jobs", *jobs)
print(f"{waiting} jobs wait")
