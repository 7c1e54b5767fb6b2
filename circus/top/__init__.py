"""circus-top: watchers, slots and processes on a terminal, as they are now."""
