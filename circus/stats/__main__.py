"""How circusd runs it: `python -m circus.stats`."""

from __future__ import annotations

import sys

from circus.stats.program import main

if __name__ == "__main__":
    sys.exit(main())
