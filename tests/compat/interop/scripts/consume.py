"""Prints what a CircusConsumer sees, a line of JSON for each event. Arguments: endpoint, topics."""

from __future__ import annotations

import importlib
import json
import sys

consumer = importlib.import_module("circus.consumer").CircusConsumer(
    sys.argv[2:], endpoint=sys.argv[1]
)
for topic, message in consumer:
    sys.stdout.write(json.dumps([topic.decode(), json.loads(message)]) + "\n")
    sys.stdout.flush()
