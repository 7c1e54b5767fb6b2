"""`python -m circus.top`."""

from __future__ import annotations

import sys

from circus.top.program import main

if __name__ == "__main__":
    sys.exit(main())
