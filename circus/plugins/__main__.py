"""How circusd runs a plugin: `python -m circus.plugins`."""

from __future__ import annotations

import sys

from circus.plugins.host import main

if __name__ == "__main__":
    sys.exit(main())
