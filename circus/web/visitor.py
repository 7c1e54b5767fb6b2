"""Who is at the other end of a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from circus.access import Role

METRICS: Final = "metrics"
"""The role of a program that collects numbers, and may do nothing else."""
Need = Role | Literal["metrics"] | None
"""What a resource takes: a role, METRICS, or None for nothing."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who sent a request."""

    name: str = ""
    """Whom the record of changes names; empty for a stranger."""
    role: Role | None = None
    """What they may do; None for nothing."""
    csrf: str = ""
    """What a form of theirs has to bring back; empty where no cookie speaks for them."""
    session: str = ""
    """The name of their session, which is not its secret; empty without one."""
    address: str = ""
    """Where the request came from: an address, or `unix`."""
    bearer: bool = False
    """Whether a token spoke for them, which no browser sends by itself."""
    metrics: bool = False
    """Whether they may collect numbers although they have no role."""

    def may(self, need: Need) -> bool:
        """Whether they may do what takes that."""
        if need is None:
            return True
        if need == METRICS:
            return self.metrics or self.role is not None
        return self.role is not None and self.role.includes(need)
