"""Numbers about circusd and its workers for Prometheus and whoever reads OpenMetrics."""

from __future__ import annotations

from circus.plugins.metrics.plugin import Metrics

__all__ = ["Metrics"]
