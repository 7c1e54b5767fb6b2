"""circusd-stats as the watcher that runs it."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from circus.access import EVERYBODY, Grants, others
from circus.config import beside
from circus.config.model import WatcherConfig
from circus.config.schema import Problem
from circus.endpoints import reachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from circus.config.model import CircusConfig, Config
    from circus.endpoints import Endpoints

    Where = Callable[[str, str], str]

NAME = "circusd-stats"
GUESTS = "CIRCUS_STATS"
"""The variable that tells it as JSON whom to let in."""


def is_wanted(circus: CircusConfig) -> bool:
    """By its endpoint, unless `statsd` says otherwise."""
    return circus.stats_endpoint is not None if circus.statsd is None else circus.statsd


def with_stats(config: Config, endpoints: Endpoints, python: str) -> Config:
    """The same with that watcher, when it is wanted; `python` runs it."""
    if not is_wanted(config.circus) or NAME in config.watchers:
        return config
    made = stats_watcher(config, endpoints, python)
    return dataclasses.replace(
        config, watchers=dict(sorted({**config.watchers, NAME: made}.items()))
    )


def stats_watcher(config: Config, endpoints: Endpoints, python: str) -> WatcherConfig:
    """It reaches circusd at its endpoints as any client does, and has the sockets to look at."""
    circus = config.circus
    command = (
        *("-P", "-m", "circus.stats"),
        *("--endpoint", reachable(endpoints.control)),
        *("--pubsub", reachable(endpoints.pubsub)),
        *("--statspoint", endpoints.stats),
        *beside.arguments(circus),
    )
    return WatcherConfig(
        name=NAME,
        cmd=python,
        args=command,
        env={GUESTS: _guests(config)},
        priority=0,
        use_sockets=True,
        **beside.options(circus, closed=circus.statsd_close_outputs),
    )


def told_anew(config: Config) -> Config:
    """The same with what it is told of these watchers: there may be others than in the file."""
    known = config.watchers.get(NAME)
    if known is None or GUESTS not in known.env:
        return config
    made = dataclasses.replace(known, env={**known.env, GUESTS: _guests(config)})
    return dataclasses.replace(config, watchers={**config.watchers, NAME: made})


def _guests(config: Config) -> str:
    """Who may look, and the keys where `tcp://` endpoints take nothing else."""
    told = _grants(config.circus, config.watchers.values())._asdict()
    return json.dumps({"grants": told, "curve": config.keys_folder}, sort_keys=True)


def _grants(circus: CircusConfig, watchers: Iterable[WatcherConfig]) -> Grants:
    """Who may operate on one watcher may look at all."""
    everybody = EVERYBODY in circus.read_users
    owner, users, groups = others(circus, watchers)
    named = {EVERYBODY} if everybody else users - {EVERYBODY}
    return Grants(read_users=sorted(named), read_groups=sorted(groups), endpoint_owner=owner)


def stats_rules(config: Config, where: Where) -> Iterator[Problem]:
    """What stands in its way."""
    if is_wanted(config.circus) and NAME in config.watchers:
        say = "circusd runs a watcher of this name itself: rename this one, or set statsd = False"
        yield Problem(where(f"watcher:{config.watchers[NAME].name}", ""), say)
