"""Can the plugins be had? Asked of a process as theirs will be: their code is not for ours."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from circus.config import commandline
from circus.config.load import UNUSABLE
from circus.config.plugins import FOUND, PREFIX, plugin_watcher
from circus.config.schema import Problem
from circus.exc import SpawnError
from circus.host.environ import Environment
from circus.host.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circus.config.model import Config, PluginConfig

    Where = Callable[[str, str], str]


def survey_plugins(config: Config, plugins: Iterable[PluginConfig], where: Where) -> list[Problem]:
    """Classes that cannot be imported, of those of these that are active. Blocks.

    `where` says where an option of a section was written.
    """
    active = [one for one in plugins if one.active and one.use != UNUSABLE]
    with contextlib.ExitStack() as stack:
        trials = [stack.enter_context(_Trial(plugin, config)) for plugin in active]
        return [
            problem
            for plugin, trial in zip(active, trials, strict=True)
            for problem in trial.problems(partial(where, f"{PREFIX}{plugin.name}"))
        ]


class _Trial:
    """One process that imports a class and ends; all of them run at a time."""

    def __init__(self, plugin: PluginConfig, config: Config) -> None:
        self._watcher = plugin_watcher(plugin, config, "", "", sys.executable)
        self._failure = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Trial:
        watcher = self._watcher
        try:
            self._process = subprocess.Popen(
                [*commandline.argv(watcher, {}), "--check"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=watcher.working_dir,
                env=Environment(watcher).now(),
            )
        except (OSError, SpawnError) as error:
            self._failure = str(error)
        self._until = time.monotonic() + watcher.hook_timeout
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def problems(self, where: Callable[[str], str]) -> list[Problem]:
        """What is wrong with it, once that is known. `where` says where an option was written."""
        if self._process is None:
            # as it is told of the watcher that runs it, so that nobody hears of it twice
            missing = survey([self._watcher], lambda _, key: where(key))
            return missing or [Problem(where("use"), f"use: {self._failure}")]
        reason = self._reason(self._process)
        return [Problem(where("use"), f"use: {reason}")] if reason else []

    def _reason(self, process: subprocess.Popen[str]) -> str:
        """Why the class cannot be had; nothing when it can."""
        try:
            said, told = process.communicate(timeout=max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return f"importing it takes more than {self._watcher.hook_timeout:g} s"
        # not by its status, which may be collected by whoever collects all that circusd has
        if said.endswith(f"{FOUND}\n"):
            return ""
        lines = told.strip().splitlines() or ["the process that imports it has ended"]
        return lines[-1].removeprefix("circus-plugin: ")
