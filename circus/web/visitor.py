"""Who is at the other end of a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circus.access import Role


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

    def may(self, role: Role) -> bool:
        """Whether they may do what takes that role."""
        return self.role is not None and self.role.includes(role)


STRANGER = Visitor()
