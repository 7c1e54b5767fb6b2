"""Prints what a StatsClient sees, a line of JSON for each message. Argument: endpoint."""

from __future__ import annotations

import importlib
import json
import sys

for told in importlib.import_module("circus.stats.client").StatsClient(endpoint=sys.argv[1]):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
