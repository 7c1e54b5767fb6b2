"""A configuration of circus 0.19, or of older ones: what is to be written differently now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from circus.config.schema import nearest, row_of
from circus.exc import CircusError
from circus.importers.circus.lines import Group, groups
from circus.importers.draft import MODELS
from circus.importers.files import read
from circus.importers.report import Report, Verdict, changed, decide, kept, lost
from circus.importers.sound import ITS_SECTION, OUT, Lines, make_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.importers.report import Option

KNOWN = ("circus", "env", "DEFAULT")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
TRUE = ("true", "yes", "on", "1")
OLD_FORMS = (
    (re.compile(r"\$WID\b|\$\(WID\)|\(\(WID\)\)"), "$(circus.wid)"),
    (re.compile(r"\$\((?i:env)\.([\w.-]+)\)"), r"$(circus.env.\1)"),
    (re.compile(r"\$\{(circus\.[\w.-]+)\}"), r"$(\1)"),
)
SHELL = re.compile(r"[|&;<>$`*?~#()\\]")


class Edit(NamedTuple):
    """What is said of an option, and what stands in its place: None for the lines as they are."""

    verdict: Verdict
    lines: tuple[str, ...] | None = None


class Place(NamedTuple):
    """An option in its file."""

    group: Group
    option: Option
    has: frozenset[str]
    """The keys of its section."""
    texts: Mapping[str, str]
    """Values of its section, by key."""


def import_circus(path: str, output: str) -> tuple[str, Report]:
    """The same file with what has to be different, and what is said of each of its lines.

    `output` is where it is to stand, which the paths of includes begin at.
    Raises CircusError for what circus never read. Reads files, so it may block.
    """
    found = groups(read(path), path)
    sections = _sections(found)
    if not any(name in KNOWN or name.partition(":")[0] in MODELS for name in sections):
        raise CircusError(f"{path}: this is no configuration of circus, it has no [watcher:NAME]")
    verdicts: list[tuple[Option, Verdict] | None] = []
    lines = []
    counts: dict[tuple[str, str], Option] = {}
    for group in found:
        edit = None
        if group.option:
            first = counts.setdefault((group.section, group.option.key), group.option)
            again = group.option.key and first is not group.option
            edit = _again(group, first) if again else _edit(group, sections)
        verdicts.append((group.option, edit.verdict) if edit and group.option else None)
        new = edit.lines if edit and edit.lines is not None else group.lines
        lines.append(list(new))
    return _finished(output, Lines(lines), verdicts)


def _finished(
    path: str, lines: Lines, verdicts: list[tuple[Option, Verdict] | None]
) -> tuple[str, Report]:
    report = Report()
    elsewhere = []
    for at, wrong in make_sound(lines, path):
        one = None if at is None else verdicts[at]
        if at is None:
            elsewhere.append(wrong)
        elif one is not None and wrong == ITS_SECTION:
            verdicts[at] = (one[0], lost(f"in a comment now: {wrong}"))
        elif one is not None:
            verdicts[at] = (one[0], decide(f"in a comment now: {wrong}", "mend it"))
    for option, verdict in filter(None, verdicts):
        if option.key in ("include", "include_dir") and elsewhere:
            verdict = decide("kept as it is", f"mend what is included: {'; '.join(elsewhere)}")
            elsewhere = []
        report.add(option, verdict)
    return lines.text(), report


def _sections(found: list[Group]) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    for group in found:
        if group.option:
            section = sections.setdefault(group.section, {})
            if group.option.key:
                section.setdefault(group.option.key, group.option.value)
    return sections


def _again(group: Group, first: Option) -> Edit:
    say = f"line {first.line} has it already, which counts, as in 0.19"
    return Edit(changed(say), tuple(f"{OUT}{line}" for line in group.lines))


def _edit(group: Group, sections: Mapping[str, Mapping[str, str]]) -> Edit:
    option, texts = group.option, sections[group.section]
    assert option is not None  # noqa: S101 the caller has looked
    kind = group.section.partition(":")[0]
    place = Place(group, option, frozenset(texts), texts)
    if not option.key:
        return _header(kind, place)
    if kind == "env":
        return _variable(place)
    rule = TABLES.get(kind, {}).get(option.key)
    if rule is not None:
        return rule(place)
    if kind not in MODELS:
        return Edit(lost("nobody reads this section", "remove it"), _out(place))
    return _other(kind, place)


def _header(kind: str, place: Place) -> Edit:
    if kind == "socket" and place.has and "blocking" not in place.has:
        say = "a call of a worker that has to wait on it waits now"
        return Edit(changed(say, "blocking = False has it fail, as in 0.19"))
    if kind in MODELS or kind == "env":
        return Edit(kept("the same") if place.has else changed("it is empty, and left out"))
    return Edit(lost("nobody reads this section", "remove it"), _out(place))


def _other(kind: str, place: Place) -> Edit:
    """An option without a rule of its own."""
    option, model = place.option, MODELS[kind]
    if row_of(model, option.key) or kind == "plugin":
        return _written_anew(place) or Edit(kept("the same"))
    if option.key.split(".")[0] == "flapping":
        return Edit(kept("the same, for the plugin flapping"))
    near = nearest(model, option.key)
    if near:
        return Edit(decide(f"circus 0.19 passed over it{near}", "write it right, or remove it"),
                    _out(place))  # fmt: skip
    if kind == "watcher":
        return Edit(kept("an option of your own, for hooks and plugins"))
    return Edit(lost("nobody reads this option", "remove it"), _out(place))


def _written_anew(place: Place) -> Edit | None:
    """With variables in their present form; None if it has no other."""
    lines = tuple(_modern(line) for line in place.group.lines)
    if lines == place.group.lines:
        return None
    return Edit(changed(" ".join(" ".join(lines).split())), lines)


def _modern(line: str) -> str:
    for form, new in OLD_FORMS:
        line = form.sub(new, line)
    return line


def _out(place: Place, *instead: str) -> tuple[str, ...]:
    """In comments, with other lines below."""
    indent = place.group.lines[0][: -len(place.group.lines[0].lstrip())]
    return (*(f"{OUT}{line}" for line in place.group.lines), *(indent + new for new in instead))


def _variable(place: Place) -> Edit:
    if "$(circus.env." in place.option.value.lower() and place.group.section != "env":
        return Edit(changed("the variable is replaced, which 0.19 did in [env] only"))
    return Edit(kept("the same"))


def _endpoint(place: Place) -> Edit:
    value = place.option.value
    scheme, _, address = value.partition("://")
    if scheme != "tcp":
        return Edit(kept("the same"))
    if "curve" in place.has:
        return Edit(kept("the same, and only keys are let in"))
    instead = []
    if place.option.key == "stats_endpoint" and "statsd" not in place.has:
        instead = ["statsd = True"]
    name = {"endpoint": "control", "pubsub_endpoint": "pubsub"}.get(place.option.key, "stats")
    host = address.rpartition(":")[0]
    new = f"taken out: a Unix socket, by default /run/circus/{name}, that only its user can open"
    if host in LOOPBACK:
        say = changed(new, f"every user of this machine could open {value}; other programs have to "
            f"be told of the new one")  # fmt: skip
    else:
        say = decide(new, f"who reaches {value} can do everything; from elsewhere use circusctl -H,"
            " or keys (docs/security.md)")  # fmt: skip
    return Edit(say, _out(place, *instead))


def _says(verdict: Verdict) -> Callable[[Place], Edit]:
    return lambda _place: Edit(verdict)


def _gone(verdict: Verdict) -> Callable[[Place], Edit]:
    return lambda place: Edit(verdict, _out(place))


def _renamed(new: str) -> Callable[[Place], Edit]:
    def rule(place: Place) -> Edit:
        old = place.option.key
        if new in place.has:
            return Edit(changed(f"{new} counts"), _out(place))
        first, *rest = place.group.lines
        lines = (first.replace(old, new, 1), *rest)
        return Edit(changed(lines[0].strip()), lines)

    return rule


def _httpd(place: Place) -> Edit:
    if place.option.value.lower() not in TRUE:
        return Edit(kept("the same"))
    say = "the web console, which is another one now and wants people to log in"
    return Edit(changed(say, "install circus-console; circusctl console-login lets you in"))


def _httpd_host(place: Place) -> Edit:
    on = place.texts.get("httpd", "").lower() in TRUE
    if place.option.value in LOOPBACK or not on:
        return Edit(kept("the same"))
    say = "the same: the console can be reached from elsewhere"
    return Edit(decide(say, "let it listen on localhost behind a server with TLS, or give it TLS"))


def _backend(place: Place) -> Edit:
    if place.option.value.lower() == "gevent":
        return Edit(changed("streams that may block run in greenlets", "install python3-gevent"))
    return Edit(kept("the same"))


def _shell(place: Place) -> Edit:
    on = place.option.value.lower() in TRUE
    if on and SHELL.search(place.texts.get("cmd", "") + place.texts.get("args", "")):
        say = "the shell reads cmd as it stands; in 0.19 it saw each word in quotes"
        return Edit(changed(say, "look whether cmd means what it should"))
    return Edit(kept("the same"))


def _socket_umask(place: Place) -> Edit:
    return Edit(changed("the mask is octal, as it looks; 0.19 took it for a decimal number"))


def _own_env(place: Place) -> Edit:
    name = place.group.section.partition(":")[2]
    return Edit(lost("0.19 did not read it either", f"write [env:{name}]"), _out(place))


PAPA = _gone(lost("sockets stay open across a restart of workers by themselves, without papa"))
TABLES: Mapping[str, Mapping[str, Callable[[Place], Edit]]] = {
    "circus": {
        "endpoint": _endpoint,
        "pubsub_endpoint": _endpoint,
        "stats_endpoint": _endpoint,
        "check_delay": _says(changed("nothing waits for it: ends are noticed at once")),
        "multicast_endpoint": _says(
            decide("the same: circusd answers whoever asks in the network", "remove it if unused")
        ),
        "include": _says(decide("kept as it is", "import each of these files too")),
        "include_dir": _says(decide("kept as it is", "import each of these files too")),
        "stream_backend": _backend,
        "httpd": _httpd,
        "httpd_host": _httpd_host,
        "respawn": _says(changed("the default of all watchers; 0.19 did not read it")),
        "use_papa": PAPA,
        "papa_endpoint": PAPA,
    },
    "watcher": {
        "shell": _shell,
        "executable": _says(changed("this file is executed; 0.19 passed over it")),
        "retry_in": _renamed("backoff_delay"),
        "env": _own_env,
        "use_papa": PAPA,
        "check_flapping": _gone(changed("not needed: a worker that keeps ending is put off")),
        "stdout_stream.refresh_time": _gone(changed("not needed: output is taken at once")),
        "stderr_stream.refresh_time": _gone(changed("not needed: output is taken at once")),
        "on_demand": _says(changed("it waits for the first connection; in 0.19 it seldom did")),
    },
    "socket": {
        "umask": _socket_umask,
        "replace": _says(changed("not needed: a dead socket is replaced, a live one never")),
        "use_papa": PAPA,
    },
    "plugin": {"service": _renamed("watcher")},
}
"""Options that are not simply the same."""
