"""The state of everything, asked of circusd at once."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.controller import Controller

Told = dict[str, Any]

UNHEARD = SimpleNamespace(
    at=0.0, live=False, reason="", since=None, daemon=SimpleNamespace(stats=""), watchers={}
)
"""Before anything was heard."""


def state(controller: Controller) -> SimpleNamespace:
    """Raises CallError when circusd does not answer."""
    now = time.time()
    infos = controller.call("stats")["infos"]
    groups = controller.call("status").get("groups", {})
    group_of = {name: group for group, names in groups.items() for name in names}
    daemon = controller.call("dstats")["info"]
    watchers = {
        one["name"]: _watcher(one, infos.get(one["name"], {}), group_of, now)
        for one in controller.call("why")["watchers"]
    }
    stats = watchers["circusd-stats"].state if "circusd-stats" in watchers else ""
    used = {key: daemon[key] for key in ("pid", "age", "cpu")}
    return SimpleNamespace(
        at=now,
        live=True,
        reason="",
        since=now,
        daemon=SimpleNamespace(**used, stats=stats),
        watchers=watchers,
    )


def _watcher(why: Told, info: Told, group_of: Mapping[str, str], now: float) -> SimpleNamespace:
    slots = why["slots"]
    bad = [slot for slot in slots if slot["state"] in ("backoff", "failed")]
    trouble = why["halted"] or ""
    if bad:
        last = f": {bad[0]['last']}" if bad[0]["last"] else ""
        trouble = f"{len(bad)} of {len(slots)} {bad[0]['what']}{last}"
    workers = [one for one in info.values() if isinstance(one, dict)]
    return SimpleNamespace(
        state=why["state"],
        group=group_of.get(why["name"], ""),
        ready=sum(slot["state"] == "ready" for slot in slots),
        wanted=why["numprocesses"],
        restarts=sum(slot["restarts"] for slot in slots),
        cpu=sum(one["cpu"] for one in workers) if workers else None,
        rss=None,
        changed=now - min(slot["since"] for slot in slots) if slots else None,
        progress=f"waits for {why['waits_for']}" if why["waits_for"] else "",
        trouble=trouble,
    )
