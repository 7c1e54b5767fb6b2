"""Ends at once with the exit code that is given."""

import os
import sys

os._exit(int(sys.argv[1]))
