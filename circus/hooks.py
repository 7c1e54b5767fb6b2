"""Runs a user's hooks off the loop, with a limit."""

from __future__ import annotations

import inspect
import json
import logging
import traceback
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from circus.aside import aside, within
from circus.conditions import Conditions
from circus.config.code import folders
from circus.config.rules import HOOKS
from circus.config.schema import Problem
from circus.core.verdict import VETOES, Answer, Verdict, judge
from circus.exc import HookError, RetryLater
from circus.logs import about
from circus.resolve import importing_from, resolve_anew, resolve_name

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from circus.config.model import WatcherConfig
    from circus.engine import Engine
    from circus.watcher import Watcher

logger = logging.getLogger(__name__)

AGREED = Verdict()
NOTHING: Mapping[str, object] = {}
LONGEST = 300
"""Characters of an error that are told."""


@dataclass(eq=False, slots=True)
class Call:
    """A hook that is to be called."""

    hook: str
    wid: int | None
    """The slot that waits for it; 0 for the watcher itself, None when nobody does."""
    given: Mapping[str, object]
    then: Callable[[Verdict], None]
    still: Callable[[], bool]
    """Whether anybody wants to know by the time its turn comes."""
    since: float = 0.0
    pending: asyncio.Future[Answer] | None = None


class Hooks:
    """The hooks of one watcher. They are called one after another, each in a thread of its own.

    What they do, and how long, holds up nobody but this watcher. All else here belongs to the
    loop's thread.
    """

    def __init__(self, watcher: Watcher, engine: Engine) -> None:
        self._watcher = watcher
        self._engine = engine
        self._config = watcher.config
        self._queue: deque[Call] = deque()
        self._running: Call | None = None
        self._over = False
        self._conditions = Conditions(engine.loop)

    def configure(self, config: WatcherConfig) -> None:
        """What is called from now on follows this."""
        self._config = config

    def ask(
        self,
        hook: str,
        then: Callable[[Verdict], None],
        given: Mapping[str, object] = NOTHING,
        *,
        wid: int | None = 0,
        still: Callable[[], bool] = lambda: True,
    ) -> None:
        """Have `then` called with the verdict of a hook; at once when there is no such hook.

        `given` are arguments for the hook. It is not called unless `still` when its turn comes.
        """
        if self._over or hook not in self._config.hooks:
            then(AGREED)
            return
        self._queue.append(Call(hook, wid, given, then, still))
        self._next()

    def tell(self, hook: str, given: Mapping[str, object]) -> None:
        """Call a hook whose answer nobody waits for."""
        self.ask(hook, lambda _: None, given, wid=None)

    def waits(self, wid: int) -> str:
        """What a slot, or with 0 the watcher itself, waits for, in words; or nothing."""
        running = self._running
        if running is None:
            return ""
        if running.wid == wid:
            seconds = self._engine.loop.time() - running.since
            return f"waiting for its {running.hook} hook since {seconds:.1f} s"
        for call in self._queue:
            if call.wid == wid:
                return f"waiting for its {call.hook} hook, which waits for {running.hook}"
        return ""

    def idle(self) -> asyncio.Future[None]:
        """Resolves when all have been called that were to be."""
        return self._conditions.when(lambda: self._running is None and not self._queue)

    async def extend(self, infos: Mapping[int, dict[str, Any] | str]) -> dict[str, Any]:
        """What the extended_stats hook makes of these, by pid. Raises HookError.

        It does not wait for the turn of other hooks: it changes nothing.
        """
        hook, config = "extended_stats", self._config

        def work() -> dict[str, Any]:
            found: dict[str, Any] = {}
            for pid, info in infos.items():
                stats = dict(info) if isinstance(info, dict) else info
                answer = self._call(hook, config, {"pid": pid, "stats": stats})
                if answer.error:
                    raise HookError(f"hook {hook} failed: {answer.error}")
                found[str(pid)] = _plain(stats)
            return found

        try:
            return await aside(self._engine.loop, work, limit=config.hook_timeout)
        except TimeoutError:
            raise HookError(f"hook {hook} failed: {_late(config)}") from None

    def call_here(self, hook: str, given: Mapping[str, object]) -> bool:
        """Whether a hook agrees, called out of its turn and in the calling thread, not the loop's.

        Its answer is published as any other's.
        """
        config = self._config
        if hook not in config.hooks:
            return True
        answer = self._call(hook, config, given)
        self._watcher.door.post(lambda: self._publish(hook, answer))
        _, ignore = config.hooks[hook]
        return not judge(hook, answer, ignore=ignore).refusal

    def give_up(self) -> None:
        """Wait for none of them any more, and call no more."""
        self._over = True
        waiting, self._queue = self._queue, deque()
        if self._running is not None and self._running.pending is not None:
            self._running.pending.cancel()
        for call in waiting:
            self._settle(call, Answer(error="it was given up"))

    def close(self) -> None:
        """Call no more of them, and tell nobody of the one that runs."""
        self._over = True
        self._queue.clear()
        self._running = None
        self._conditions.check()

    # -- one after another ------------------------------------------------

    def _next(self) -> None:
        while self._running is None and self._queue:
            call = self._queue.popleft()
            if call.hook not in self._config.hooks:
                call.then(AGREED)
            elif not call.still():
                call.then(Verdict("no longer wanted"))
            else:
                self._begin(call)
        self._conditions.check()

    def _begin(self, call: Call) -> None:
        config, loop = self._config, self._engine.loop
        self._running, call.since = call, loop.time()
        call.pending = aside(
            loop, partial(self._call, call.hook, config, call.given), limit=config.hook_timeout
        )
        call.pending.add_done_callback(partial(self._answered, call, config))

    def _answered(self, call: Call, config: WatcherConfig, pending: asyncio.Future[Answer]) -> None:
        if self._running is not call:  # closed
            return
        self._running = None
        behind: list[Call] = []
        if pending.cancelled():
            answer = Answer(error="it was given up")
        elif isinstance(error := pending.exception(), TimeoutError):
            answer = Answer(error=_late(config))
            # otherwise a hook that hangs would hang once for each worker
            behind = [one for one in self._queue if one.hook == call.hook]
            self._queue = deque(one for one in self._queue if one.hook != call.hook)
        elif error is not None:
            answer = Answer(error=_text(error))
        else:
            answer = pending.result()
        self._settle(call, answer)
        for one in behind:
            self._settle(one, Answer(error=f"the call before it failed: {_late(config)}"))
        self._next()

    def _settle(self, call: Call, answer: Answer) -> None:
        _, ignore = self._config.hooks.get(call.hook, (None, False))
        self._publish(call.hook, answer)
        call.then(judge(call.hook, answer, ignore=ignore))

    def _publish(self, hook: str, answer: Answer) -> None:
        name, tell = self._watcher.name, self._engine.events.tell
        if answer.error:
            tell(name, "hook_failure", name=hook, error=answer.error)
            logger.warning("%s: hook %s failed: %s", name, hook, answer.error, extra=about(name))
            if answer.traceback:
                logger.debug("%s", answer.traceback, extra=about(name))
            return
        tell(name, "hook_success", name=hook)
        if answer.agrees or hook not in VETOES:
            return
        if answer.nothing:
            text = "%s: hook %s returned None, which is a no: return True"
            logger.warning(text, name, hook, extra=about(name))
        else:
            logger.info("%s: hook %s says no", name, hook, extra=about(name))

    # -- in a thread of its own ------------------------------------------------

    def _call(self, hook: str, config: WatcherConfig, given: Mapping[str, object]) -> Answer:
        """Whatever happens in there is told, nothing is raised."""
        function, _ = config.hooks[hook]
        always = {"watcher": self._watcher, "arbiter": self._engine.face, "hook_name": hook}
        try:
            with importing_from(folders(config, self._engine.config.path)):
                returned = _called(_function(function), always, given)
                return Answer(agrees=bool(returned), nothing=returned is None)
        except RetryLater as error:
            return Answer(error=_text(error), later=True)
        except BaseException as error:  # noqa: BLE001 a user's function, which may raise anything
            return Answer(error=_text(error), traceback=traceback.format_exc())


def _called(
    function: Callable[..., object], always: Mapping[str, object], given: Mapping[str, object]
) -> object:
    """Arguments go by name; the first three by their places when they have other names there."""
    try:
        inspect.signature(function).bind(**always, **given)
    except TypeError:
        return function(*always.values(), **given)
    except ValueError:  # written in C
        pass
    return function(**always, **given)


def _function(hook: object) -> Callable[..., object]:
    found = resolve_name(hook) if isinstance(hook, str) else hook
    if not callable(found):
        raise HookError(f"{hook!r} is not callable")
    return found


def _plain(stats: object) -> Any:
    """As they go over the wire, and out of the hook's reach."""
    try:
        return json.loads(json.dumps(stats))
    except (TypeError, ValueError) as error:
        raise HookError(f"hook extended_stats failed: its stats are not JSON: {error}") from None


def _late(config: WatcherConfig) -> str:
    return f"it did not return within {config.hook_timeout:g} s"


def _text(error: BaseException) -> str:
    """What was raised, on one line."""
    try:
        told = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 a user's class, which may raise even then
        told = ""
    if not isinstance(error, HookError | ImportError | RetryLater):
        told = f"{type(error).__name__}: {told}" if told else type(error).__name__
    return (told or type(error).__name__)[:LONGEST]


# -- before anything is started ------------------------------------------------


def survey_hooks(
    watchers: Iterable[WatcherConfig],
    where: Callable[[str, str], str],
    path: str | None,
    *,
    anew: Collection[str] = (),
) -> list[Problem]:
    """Hooks that cannot be imported, from modules as they are, or those of `anew` as files are.

    `where` says where an option of a section was written. Imports user code: it blocks, but not
    for ever.
    """
    return [
        Problem(where(f"watcher:{config.name}", f"hooks.{hook}"), f"hooks.{hook}: {reason}")
        for config in watchers
        for hook, reason in _not_found(config, path, anew)
    ]


def _not_found(
    config: WatcherConfig, path: str | None, anew: Collection[str]
) -> Iterator[tuple[str, str]]:
    for hook, (function, _) in config.hooks.items():
        if hook not in HOOKS:
            continue  # that there is none of this name is told without a look at the module

        def find(hook: str = hook, function: object = function) -> str:
            try:
                with importing_from(folders(config, path)):
                    if isinstance(function, str) and hook in anew:
                        resolve_anew(function)
                    _function(function)
            except BaseException as error:  # noqa: BLE001 a user's module, which may raise anything
                return _text(error)
            return ""

        try:
            reason = within(config.hook_timeout, find)
        except TimeoutError:
            reason = f"importing {function!r} takes more than {config.hook_timeout:g} s"
        if reason:
            yield hook, reason
