"""A Procfile, as foreman and honcho run it, with the `.env` beside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.config import envfile
from circus.exc import CircusError, ConfigError
from circus.importers.draft import Draft, literal
from circus.importers.files import beside, read
from circus.importers.report import Option, Report, Verdict, changed, decide, handled, kept, lost

if TYPE_CHECKING:
    from collections.abc import Mapping

PROCESS = re.compile(r"(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>.+)")
VARIABLE = re.compile(r"(?P<name>[A-Za-z_0-9]+)=(?P<value>.*)")
SYNTAX = re.compile(r"[|&;<>()$`*?\[#~{}!\n]")
"""What only a shell understands."""
QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
"""What means itself."""
SEVERAL = re.compile(r"[|&;()`\n]")
"""More than one command, perhaps."""
BUILTIN = re.compile(r"(?:[A-Za-z_]\w*=|(?:cd|export|source|\.|ulimit|umask|if|for|while|set|:)\s)")
"""What cannot stand behind `exec`."""
FIRST_PORT, STEP = 5000, 100
"""The ports that foreman gives to process types, in their order."""


@dataclass
class Source:
    """What is read, and what it becomes."""

    path: str
    draft: Draft = field(default_factory=Draft)
    report: Report = field(default_factory=Report)
    first_port: int = FIRST_PORT
    env_file: str = ""
    """Whose variables workers read at their start."""

    @property
    def folder(self) -> str:
        """In which everything runs."""
        return os.path.dirname(os.path.abspath(self.path))


def import_procfile(path: str) -> tuple[Draft, Report]:
    """What a Procfile becomes. Raises CircusError for what is none.

    Reads files, so it may block.
    """
    source = Source(path)
    processes = _processes(source)
    env = beside(path, ".env")
    if env is not None:
        _env_file(source, env)
    for place, option in enumerate(processes):
        source.report.add(option, _process(source, option, place))
    return source.draft, source.report


def _processes(source: Source) -> list[Option]:
    """One for each process type, in the order in which they are first named."""
    found: dict[str, Option] = {}
    for number, line in enumerate(read(source.path).split("\n"), 1):
        text = line.strip()
        if text[:1] in ("", "#"):
            continue
        match = PROCESS.fullmatch(text)
        key, value = (match["name"], match["command"]) if match else ("", text)
        option = Option(key, value, source.path, number, number, text)
        if match is None:
            source.report.add(option, lost("foreman passes over it, it is not NAME: COMMAND"))
            continue
        before = found.get(key)
        if before is not None:
            source.report.add(before, changed(f"line {number} has it again, which counts"))
        found[key] = option
    if not found:
        raise CircusError(f"{source.path}: this is no Procfile, it has no line NAME: COMMAND")
    return list(found.values())


def _process(source: Source, option: Option, place: int) -> Verdict:
    return handled(lambda one, this: _watcher(one, this, place), source, option)


def _watcher(source: Source, option: Option, place: int) -> Verdict:
    draft, port = source.draft, str(source.first_port + place * STEP)
    name = draft.free_name("watcher", option.key)
    section = f"watcher:{name}"
    command = literal(option.value)
    one = not SEVERAL.search(QUOTED.sub("", command)) and not BUILTIN.match(f"{command} ")
    executed = f"exec {command.removeprefix('exec ')}" if one else command
    if source.env_file and source.first_port != FIRST_PORT and place:
        # the file has PORT too, and goes before what is said here
        draft.command(section, f"export PORT={port}; {executed}", by_shell=True)
    elif _needs_shell(command):
        draft.command(section, executed, by_shell=True)
    else:
        draft.command(section, command.removeprefix("exec ").strip())
    if not one:
        draft.put(section, "stop_children", "True")  # a shell passes no signal on
    draft.put(section, "working_dir", source.folder)
    draft.put(section, "copy_env", "True")
    if source.env_file:
        draft.put(section, "env_file", source.env_file)
    draft.put(f"env:{name}", "PORT", port)
    shell = ", which a shell runs" if draft.has(section, "shell") else ""
    if option.key == "release":
        draft.put(section, "autostart", "False")
        draft.put(section, "respawn", "False")
        say = f"[{section}]{shell}, not started by itself"
        return decide(say, f"circusctl start {name} runs it once; do so before each new version")
    return kept(f"[{section}]{shell}, with PORT = {port}")


def _needs_shell(command: str) -> bool:
    return bool(SYNTAX.search(QUOTED.sub("", command)) or BUILTIN.match(f"{command} "))


def _env_file(source: Source, path: str) -> None:
    """Have workers read it, if they find in it what foreman does; else take its variables over."""
    text = read(path)
    wanted, options = _variables(source, text)
    port = wanted.get("PORT", "")
    if port.isdecimal() and int(port) < 60000:
        source.first_port = int(port)
    path = os.path.abspath(path)
    same = not any(char.isspace() for char in path) and _as_we_read(text) == wanted
    if same:
        source.env_file = path
        say = f"env_file = {path}, which each worker reads when it starts"
        for option in options:
            source.report.add(option, kept(say))
        return
    for option in options:
        source.report.add(option, handled(_variable, source, option))


def _variable(source: Source, option: Option) -> Verdict:
    if option.key == "PORT":
        return kept(f"PORT of each process, from {source.first_port} on")
    source.draft.put("env", option.key, literal(option.value, environment=True))
    return changed("[env]: this file is not read by workers", "keep the configuration to yourself")


def _variables(source: Source, text: str) -> tuple[Mapping[str, str], list[Option]]:
    """As foreman reads them, and the lines that they are on."""
    found: dict[str, str] = {}
    options: list[Option] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip()[:1] in ("", "#"):
            continue
        match = VARIABLE.fullmatch(line)
        shown = line.partition("=")[0] + "=..."  # there are passwords in such files
        if match is None:
            option = Option("", "", ".env", number, number, shown)
            source.report.add(option, lost("foreman passes over it, it is not NAME=value"))
            continue
        value = _unquoted(match["value"])
        options.append(Option(match["name"], value, ".env", number, number, shown))
        found[match["name"]] = value
    return found, options


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1].replace("\\n", "\n"))
    return value


def _as_we_read(text: str) -> Mapping[str, str] | None:
    """What a worker would find in it; None if it would not start."""
    try:
        return envfile.parse(text)
    except ConfigError:
        return None
