"""What circusctl ends with when no answer says it; a command has its own `refused_status`."""

from __future__ import annotations

FAILED = 1
"""No answer came, or something went wrong on this side."""
INCOMPLETE = 4
"""`import` wrote a configuration, and something is lost or for somebody to decide."""
USAGE = 2
"""The command line is wrong, and nothing was sent."""
