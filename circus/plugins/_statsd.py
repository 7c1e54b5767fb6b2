"""The name that circus 0.19 had for `circus.plugins.statsd`, which some files still use."""

from __future__ import annotations

from circus.plugins.statsd import BaseObserver, FullStats, StatsdEmitter

__all__ = ["BaseObserver", "FullStats", "StatsdEmitter"]
