"""A program that keeps three workers running until it is asked to end, as circusd does."""

from __future__ import annotations

from circus import get_arbiter

arbiter = get_arbiter({"cmd": "sleep 3600", "numprocesses": 3})
try:
    arbiter.start()
finally:
    arbiter.stop()
