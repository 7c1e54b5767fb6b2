"""Who waits before it is started, and for how long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from circus.config.mapping import watcher_from_mapping
from circus.startup import Startup
from circus.threads import Outcome

if TYPE_CHECKING:
    from circus.watcher import Watcher

DELAY = 0.01


class Starts:
    """Watchers that do nothing but to note that they were started."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def watcher(self, name: str, **options: object) -> Watcher:
        def start() -> Outcome[dict[str, Any]]:
            self.names.append(name)
            return Outcome.settled({})

        made = SimpleNamespace(
            name=name,
            config=watcher_from_mapping(name, {"cmd": "x", **options}),
            pool=SimpleNamespace(up=False, settled=True),
            status=lambda: "active",
            start=start,
        )
        return cast("Watcher", made)


async def turns(number: int) -> None:
    """Return when that many delays have passed, and what was to happen then has."""
    for _ in range(number):
        passed = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(DELAY, passed.set_result, None)
        await passed


def test_who_comes_when_a_delay_has_passed_does_not_wait() -> None:
    async def main() -> None:
        starts = Starts()
        startup = Startup(asyncio.get_running_loop(), lambda _: None, lambda _: None)
        startup.warmup_delay = DELAY
        startup.add([starts.watcher("a", priority=1), starts.watcher("b", priority=2)])
        assert starts.names == ["b"]
        await turns(1)
        assert starts.names == ["b", "a"]
        startup.add([starts.watcher("early")])
        assert starts.names == ["b", "a"]
        await turns(2)
        assert starts.names == ["b", "a", "early"]
        startup.add([starts.watcher("late")])
        assert starts.names == ["b", "a", "early", "late"]
        startup.close()

    asyncio.run(main())


def test_who_is_asked_for_again_while_it_waits_is_started_once() -> None:
    async def main() -> None:
        starts = Starts()
        app, db = starts.watcher("app", after="db"), starts.watcher("db")
        pool = cast("SimpleNamespace", db.pool)
        pool.settled = False
        startup = Startup(asyncio.get_running_loop(), {"db": db}.get, lambda _: None)
        (first,), (again,) = startup.add([app]), startup.add([app])
        assert first is again
        assert startup.blocker(app) == "db"
        pool.settled = True
        startup.changed(db)
        assert await asyncio.wait_for(first, 20) == {}
        assert starts.names == ["app"]

    asyncio.run(main())
