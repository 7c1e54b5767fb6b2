"""The commands of a service of systemd."""

from __future__ import annotations

import re
import shlex
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from circus.importers.draft import WORKER, Unfit, literal
from circus.importers.report import Option, Verdict, changed, decide, kept, numbered
from circus.importers.systemd.service import MADE
from circus.importers.systemd.text import VARIABLE, specified, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.importers.systemd.service import Service

    Spelling = Callable[[Service, str], list[str]]

PREFIXES = "@-:+!|"
PASSED = "PassEnvironment"
SPECIAL = re.compile(r"([\\\"`]|\$(?!\(circus\.wid\)))")
"""What a shell takes for its own within double quotes; not the variable that circusd replaces."""
KILL = re.compile(r"(?:/usr)?(?:/bin/)?kill\s+(?:-s\s*|-)?(?:SIG)?(?P<signal>[A-Z0-9+]+)\s+"
                  r"\"?\$\{?MAINPID\}?\"?")  # fmt: skip
HOOKS = {"ExecStartPost": "hooks.after_start", "ExecStop": "hooks.before_stop",
         "ExecStopPost": "hooks.after_stop", "ExecCondition": "hooks.before_start"}  # fmt: skip


class Exec(NamedTuple):
    """One command, ready to be written."""

    prefixes: str
    words: list[str]
    """Each as a shell reads it."""


def environment(service: Service, option: Option) -> Verdict:
    """Environment=: the variables of [env:NAME]."""
    left: Unfit | None = None
    for word in words(option.value):
        name, equals, value = word.partition("=")
        try:
            if not equals:
                raise Unfit(f"{word!r} is not NAME=value", "mend it")
            literal(value, environment=True)
            service.put_variable(name, partial(service.text, value))
        except Unfit as error:
            left = Unfit(f"{name}: {error}", error.todo)
    if left is not None:
        raise left
    return kept(f"[env:{service.name}]")


def start(service: Service, option: Option) -> Verdict:
    """ExecStart=, with what stands in ExecStartPre= before it."""
    unit = service.unit
    mains = unit.options("Service", "ExecStart")
    if option is not mains[0]:
        return kept(f"a part of the cmd of [watcher:{service.name}]")
    before = unit.options("Service", "ExecStartPre")
    said = ""
    for watcher, names in service.watchers:
        section = f"watcher:{watcher}"
        steps = [one for one in before if not _raised(service, one)]
        spell = _for_shell if len(steps) + len(mains) > 1 else _for_us
        first = [_command(service, one, names, spell) for one in steps]
        found = [_command(service, one, names, spell) for one in mains]
        if spell is _for_us:
            one = _renamed(service, section, found[0])
            told = service.draft.command(section, " ".join(one))
        else:
            line = " && ".join([*map(_step, first), *map(_step, found[:-1]), _last(found[-1])])
            told = service.draft.command(section, line, by_shell=True)
        said = said or told
    if _raised(service, option):
        return decide(said, "it was started with the rights of root, and has those of User= here")
    verdict = numbered(said)
    if "-" in _prefixes(option.value):
        say = f"{verdict.became}; an end with another code than 0 is a failure here"
        return changed(say, verdict.todo)
    return verdict


def before_start(service: Service, option: Option) -> Verdict:
    """ExecStartPre=."""
    if _raised(service, option):
        say = "left out: it ran as root, before the user was changed"
        return decide(say, "do it in a function of yours, hooks.before_spawn")
    return changed(f"a part of the cmd of [watcher:{service.name}], at each start of a worker")


def reload(service: Service, option: Option) -> Verdict:
    """ExecReload=."""
    found = KILL.fullmatch(option.value.lstrip(PREFIXES))
    if found and found["signal"] in ("HUP", "1"):
        said = service.put("send_hup", "True")
        return kept(f"{said}: circusctl reload {service.name} sends it")
    if found:
        signal = found["signal"]
        return changed(f"circusctl signal {service.name} {signal} sends it",
                       "circusctl reload replaces the workers one by one")  # fmt: skip
    say = f"circusctl reload {service.name} replaces the workers one by one"
    return decide(say, "send_hup = True has it send SIGHUP instead")


def stop(service: Service, option: Option) -> Verdict:
    """ExecStop=."""
    found = KILL.fullmatch(option.value.lstrip(PREFIXES))
    if found:
        return kept(service.put("stop_signal", found["signal"]))
    return by_hook(service, option)


def by_hook(service: Service, option: Option) -> Verdict:
    """What a function in Python can do here."""
    say = f"left out: circusd calls functions where systemd runs {option.key}"
    return decide(say, f"{HOOKS[option.key]} names one, see docs/hooks.md")


def _raised(service: Service, option: Option) -> bool:
    """Whether it runs with more rights than the service."""
    return any(one in "+!" for one in _prefixes(option.value)) and bool(service.value("User"))


def _prefixes(text: str) -> str:
    return text[: len(text) - len(text.lstrip(PREFIXES))]


def _command(
    service: Service, option: Option, names: Mapping[str, object], spell: Spelling
) -> Exec:
    prefixes = _prefixes(option.value)
    text = option.value[len(prefixes) :]
    if re.search(r"(?<!\\)\s;(\s|$)", text):
        raise Unfit("several commands with ; between", "write a line for each")
    known = {key: str(value) for key, value in names.items()}
    found: list[str] = []
    for word in words(text):
        text = specified(word, known)
        found += [_quoted(text)] if ":" in prefixes else spell(service, text)
    if not found:
        raise Unfit("it is empty", "name the program")
    return Exec(prefixes, found)


def _for_us(service: Service, text: str) -> list[str]:
    """A word with variables of ours; none for a variable that is not there."""

    def ours(name: str) -> str:
        if not _may_be_set(service, name):
            return ""
        if name not in _defined(service) and not service.unit.options("Service", PASSED):
            service.put_variable(name, lambda _names: "")  # a file may have it, and counts then
        return f"$(circus.env.{name})"

    def inside(found: re.Match[str]) -> str:
        if found["curly"]:
            return ours(found["curly"])
        return "$" if found[0] == "$$" else found[0]

    alone = VARIABLE.fullmatch(text)
    if alone and alone["plain"]:
        return [one for one in [ours(alone["plain"])] if one]
    return [_quoted(VARIABLE.sub(inside, text))]


def _for_shell(service: Service, text: str) -> list[str]:
    """The same with variables of the shell, which never takes what they hold for its own words."""

    def shells(name: str) -> str:
        return f"${{{name}}}" if _may_be_set(service, name) else ""

    alone = VARIABLE.fullmatch(text)
    if alone and alone["plain"]:
        return [one for one in [shells(alone["plain"])] if one]
    out, at = [], 0
    for found in VARIABLE.finditer(text):
        out.append(SPECIAL.sub(r"\\\1", text[at : found.start()]))
        at = found.end()
        plain = "$" if found[0] == "$$" else found[0]
        out.append(shells(found["curly"]) if found["curly"] else f"\\{plain}")
    if at == 0:
        return [_quoted(text)]
    out.append(SPECIAL.sub(r"\\\1", text[at:]))
    return [f'"{"".join(out)}"']


def _may_be_set(service: Service, name: str) -> bool:
    """Whether a variable can have a value."""
    elsewhere = any(service.unit.options("Service", key) for key in ("EnvironmentFile", PASSED))
    return elsewhere or name in _defined(service)


def _defined(service: Service) -> set[str]:
    """Variables that are set in any case, by the unit or by systemd itself."""
    said = {
        word.partition("=")[0]
        for option in service.unit.options("Service", "Environment")
        for word in words(option.value)
    }
    of_user = ("USER", "LOGNAME", "HOME") if service.value("User") else ()
    folders = (f"{kind.upper()}_DIRECTORY" for kind in MADE if service.value(f"{kind}Directory"))
    return {*said, *of_user, *folders, "PATH", "LANG"}


def _quoted(text: str) -> str:
    plain = text.replace(WORKER, "0")
    return text if shlex.quote(plain) == plain else shlex.quote(text)


def _renamed(service: Service, section: str, command: Exec) -> list[str]:
    """With `@`, the second word is what the program is told that it is called."""
    if "@" not in command.prefixes or len(command.words) < 2:
        return command.words
    service.draft.put(section, "executable", shlex.split(command.words[0])[0])
    return command.words[1:]


def _step(command: Exec) -> str:
    line = " ".join(command.words)
    return f"({line} || :)" if "-" in command.prefixes else line


def _last(command: Exec) -> str:
    return f"exec {' '.join(command.words)}"
