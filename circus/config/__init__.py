"""What the operator asked for."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circus.config.old import DefaultConfigParser as DefaultConfigParser
    from circus.config.old import get_config as get_config
    from circus.config.old import rlimit_value as rlimit_value
    from circus.config.old import watcher_defaults as watcher_defaults
else:

    def __getattr__(name: str) -> Any:
        """The names above, for older programs alone: who imports a part is not given all."""
        if name not in ("DefaultConfigParser", "get_config", "rlimit_value", "watcher_defaults"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from circus.config import old

        return getattr(old, name)
