"""Calling functions of others: every shape of function, every way to fail, one at a time."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from circus.config.mapping import watcher_from_mapping
from circus.exc import RetryLater
from circus.hooks import Hooks
from circus.resolve import ImportStringError, importing_from, resolve_anew, resolve_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from circus.core.verdict import Verdict
    from circus.engine import Engine
    from circus.watcher import Watcher


class Bench:
    """A watcher that has nothing but hooks."""

    def __init__(self, **hooks: object) -> None:
        self.told: list[tuple[str, str]] = []
        self.verdicts: list[tuple[str, str]] = []
        self.config = watcher_from_mapping("w", {"cmd": "x", "hooks": hooks, "hook_timeout": 30})
        self.watcher = SimpleNamespace(name="w", config=self.config)
        self.engine = SimpleNamespace(
            loop=asyncio.get_running_loop(),
            face="the arbiter",
            config=SimpleNamespace(path=None),
            events=SimpleNamespace(tell=self._tell),
        )
        self.hooks = Hooks(cast("Watcher", self.watcher), cast("Engine", self.engine))

    def _tell(self, _name: str, event: str, **fields: Any) -> None:
        self.told.append((event, fields.get("error", "")))

    async def ask(self, hook: str, **given: object) -> Verdict:
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self.hooks.ask(hook, answer.set_result, given)
        return await answer


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 60))

    run.__name__ = test.__name__
    return run


def seed_form(watcher: Any, arbiter: Any, hook_name: str) -> bool:
    return (watcher.name, arbiter, hook_name) == ("w", "the arbiter", "before_start")


def other_order(hook_name: str, arbiter: Any, watcher: Any, **given: object) -> bool:
    return (watcher.name, arbiter, hook_name) == ("w", "the arbiter", "before_start")


def other_names(w: Any, a: Any, n: str) -> bool:
    return (w.name, a, n) == ("w", "the arbiter", "before_start")


def by_name_only(**given: Any) -> bool:
    return set(given) == {"watcher", "arbiter", "hook_name"}


class Obj:
    def __call__(self, *_args: Any, **_given: Any) -> bool:
        return True


@in_loop
async def test_every_shape_of_function() -> None:
    # what is written in C does not tell which arguments it takes
    for function in (seed_form, other_order, other_names, by_name_only, Obj(), dict):
        assert (await Bench(before_start=(function, False)).ask("before_start")).refusal == ""


class RudeTruth:
    def __bool__(self) -> bool:
        raise ValueError("neither")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no comment")


def raising(error: BaseException) -> Callable[..., object]:
    def hook(*_args: object, **_kw: object) -> object:
        raise error

    return hook


FAILURES: list[tuple[Callable[..., object], str]] = [
    (lambda: True, "TypeError"),
    (lambda *_a, **_k: RudeTruth(), "ValueError: neither"),
    (raising(SystemExit(3)), "SystemExit: 3"),
    (raising(StopIteration()), "StopIteration"),
    (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
    (raising(Mute()), "Mute"),
    (raising(ValueError("several\nlines")), "ValueError: several lines"),
]


@in_loop
async def test_every_way_to_fail_is_a_line() -> None:
    for function, text in FAILURES:
        bench = Bench(before_start=(function, False))
        verdict = await bench.ask("before_start")
        assert text in verdict.refusal
        assert "\n" not in verdict.refusal
        assert [event for event, _ in bench.told] == ["hook_failure"]


@in_loop
async def test_later_has_its_reason() -> None:
    bench = Bench(before_start=(raising(RetryLater("full moon")), False))
    verdict = await bench.ask("before_start")
    assert (verdict.later, "full moon" in verdict.refusal) == (True, True)


@in_loop
async def test_one_after_another_and_none_that_nobody_wants() -> None:
    running = threading.Semaphore(1)
    alone: list[bool] = []

    def hook(**_given: object) -> bool:
        alone.append(running.acquire(blocking=False))
        running.release()
        return True

    bench = Bench(before_spawn=(hook, False))
    answers: list[str] = []
    answered = asyncio.Event()
    wanted = {1, 3}

    def then(verdict: Verdict) -> None:
        answers.append(verdict.refusal)
        if len(answers) == 3:
            answered.set()

    for wid in (1, 2, 3):
        bench.hooks.ask(
            "before_spawn",
            then,
            wid=wid,
            still=lambda wid=wid: wid in wanted,  # type: ignore[misc]  # of a loop variable
        )
    assert "waiting for its before_spawn hook since" in bench.hooks.waits(1)
    assert bench.hooks.waits(3) == "waiting for its before_spawn hook, which waits for before_spawn"
    assert bench.hooks.waits(4) == ""
    await answered.wait()
    assert (answers, alone) == (["", "no longer wanted", ""], [True, True])


@in_loop
async def test_nobody_waits_for_what_is_only_told() -> None:
    release = threading.Event()
    bench = Bench(after_reap=(lambda **_: release.wait(), False), before_start=(seed_form, False))
    bench.hooks.tell("after_reap", {})
    assert bench.hooks.waits(0) == ""
    start = asyncio.ensure_future(bench.ask("before_start"))
    await asyncio.sleep(0)
    told = "waiting for its before_start hook, which waits for after_reap"
    assert bench.hooks.waits(0) == told
    release.set()
    assert not (await start).refusal
    await bench.hooks.idle()


@in_loop
async def test_what_is_given_up_is_answered_at_once() -> None:
    release = threading.Event()
    bench = Bench(before_start=(lambda **_: release.wait(), False), after_start=(seed_form, False))
    first = asyncio.ensure_future(bench.ask("before_start"))
    second = asyncio.ensure_future(bench.ask("after_start"))
    await asyncio.sleep(0)
    bench.hooks.give_up()
    reasons = [(await one).refusal for one in (first, second)]
    release.set()
    assert reasons == [
        "hook before_start failed: it was given up",
        "hook after_start failed: it was given up",
    ]


@in_loop
async def test_another_hook_counts_from_the_next_call() -> None:
    bench = Bench(before_start=(raising(ValueError()), False))
    assert (await bench.ask("before_start")).refusal
    bench.hooks.configure(replace(bench.config, hooks={"before_start": (seed_form, False)}))
    assert not (await bench.ask("before_start")).refusal
    bench.hooks.configure(replace(bench.config, hooks={}))
    assert not (await bench.ask("before_start")).refusal


def test_folders_are_this_threads_affair(tmp_path: Path) -> None:
    (tmp_path / "only_here.py").write_text("number = 1\n")
    with importing_from([str(tmp_path)]):
        elsewhere: list[type] = []

        def try_it() -> None:
            try:
                resolve_name("only_here.number")
            except ImportStringError as error:
                elsewhere.append(type(error))

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert elsewhere == [ImportStringError]
        assert resolve_name("only_here.number") == 1


def test_an_import_that_fails_leaves_the_old_module(tmp_path: Path) -> None:
    package = tmp_path / "anew"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("number = 1\n")
    with importing_from([str(tmp_path)]):
        assert resolve_name("anew.part.number") == 1
        (package / "part.py").write_text("number = 2; 1 / 0\n")
        with pytest.raises(ImportStringError, match="ZeroDivisionError"):
            resolve_anew("anew.part.number")
        assert resolve_name("anew.part:number") == 1
        (package / "part.py").write_text("number = 3000\n")
        assert resolve_anew("anew.part.number") == 3000
        assert resolve_name("anew.part.number") == 3000


@pytest.mark.parametrize("path", ["itertools.count", "os.path.exists"])
def test_what_has_no_file_of_its_own_can_be_read_again(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = path.rpartition(".")[0]
    monkeypatch.setitem(sys.modules, module, sys.modules[module])  # there again at the end
    assert callable(resolve_anew(path))
    assert module in sys.modules
