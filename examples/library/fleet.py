"""A client with words of its own: which watchers are not as they should be."""

from __future__ import annotations

from circus.client import CircusClient
from circus.exc import CallError


class Fleet(CircusClient):
    """Asks a circusd about all its watchers."""

    def idle(self) -> list[str]:
        """The names of those that do not run."""
        statuses = self.send_message("status")["statuses"]
        return sorted(name for name, status in statuses.items() if status != "active")

    def revive(self) -> None:
        """Start these, and return when they run."""
        for name in self.idle():
            self.send_message("start", name=name, waiting=True)


if __name__ == "__main__":
    fleet = Fleet()
    try:
        print("idle:", *fleet.idle())
        fleet.revive()
        print("idle:", *fleet.idle())
    except CallError as error:
        raise SystemExit(f"fleet: {error}") from None
    finally:
        fleet.stop()
