"""`python -m circus.top`."""

from __future__ import annotations

import sys

from circus.top.program import main

sys.exit(main())
