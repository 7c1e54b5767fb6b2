"""Plugins: classes that circusd runs, each in a process of its own, and that see every event."""

from __future__ import annotations

from circus.plugins.base import CircusPlugin
from circus.plugins.host import get_plugin_cmd, main

__all__ = ["CircusPlugin", "get_plugin_cmd", "main"]
