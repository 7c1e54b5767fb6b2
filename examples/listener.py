"""Prints each event of circusd as a line: its topic, and what it says as JSON."""

from __future__ import annotations

import contextlib

from circus.consumer import CircusConsumer

with contextlib.suppress(KeyboardInterrupt), CircusConsumer("") as events:
    for topic, message in events:
        print(topic.decode(), message.decode(), flush=True)
