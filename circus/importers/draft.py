"""Our configuration while it is written: nothing gets in that circusd would not take."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping

from circus.config import variables
from circus.config.commandline import split
from circus.config.ini import Parsed
from circus.config.model import CircusConfig, PluginConfig, SocketConfig, WatcherConfig
from circus.config.rules import SOCKET_PATH
from circus.config.schema import row_of

Value = str | Callable[[Mapping[str, object]], str]
"""Of an option: for all watchers, or made of the words that each has."""
MODELS = {
    "circus": CircusConfig,
    "DEFAULT": WatcherConfig,
    "watcher": WatcherConfig,
    "socket": SocketConfig,
    "plugin": PluginConfig,
}
WORDS = ("cmd", "args", "shell_args")
"""A line break before them is a blank like any other."""
OF_CIRCUSD = "$(circus.env."
"""A variable that circusd replaces when it reads the file."""
WORKER = "$(circus.wid)"
"""The number of a worker, which circusd replaces when it starts it."""
INDENT = "    "
SAFE = "._@+-"
"""What a name may have besides letters and digits."""


class Unfit(ValueError):
    """A value that cannot be written: `str()` says why, `todo` what may be done."""

    def __init__(self, why: str, todo: str = "") -> None:
        super().__init__(why)
        self.todo = todo


class Draft:
    """Sections in the order in which they were begun; an `[env:NAME]` follows its watcher."""

    def __init__(self) -> None:
        self._sections: dict[str, dict[str, str]] = {}
        self._taken: set[str] = set()
        """Their names, in lower case."""

    def put(self, section: str, key: str, value: str) -> str:
        """Set an option, and give it as it is shown. Raises Unfit."""
        kind = section.partition(":")[0]
        if kind == "env":
            lines = _written(key, value, free=True)
        else:
            _check(kind, key, value)
            if (kind, key) == ("socket", "path"):
                self._check_path(section, value)
            lines = _written(key, value, free=key in WORDS)
        self.begin(section)[key] = lines
        return f"{key} = {value}"

    def _check_path(self, section: str, path: str) -> None:
        """Raises Unfit for one that another socket has."""
        line = f"path = {path}"
        for other, options in self._sections.items():
            if other.startswith("socket:") and other != section and options.get("path") == line:
                todo = "give it one of its own, or share that socket"
                raise Unfit(f"[{other}] has this path already", todo)

    def command(self, section: str, text: str, *, by_shell: bool = False) -> str:
        """Set `cmd`, whose words are those of a POSIX shell. Raises Unfit."""
        if by_shell:
            self.put(section, "shell", "True")
            return self.put(section, "cmd", text.strip())
        try:
            words = shlex.split(text)
        except ValueError as error:
            why = f"it cannot be split into words: {str(error).lower()}"
            raise Unfit(why, "mend the quotes") from error
        if not words:
            raise Unfit("it is empty")
        return self.put(section, "cmd", text.strip() if split(text) == words else shlex.join(words))

    def put_all(
        self, watchers: Iterable[tuple[str, Mapping[str, object]]], key: str, value: Value
    ) -> str:
        """Set an option of several watchers, each of which has words for it. Raises Unfit."""
        said = [
            self.put(f"watcher:{name}", key, value if isinstance(value, str) else value(names))
            for name, names in watchers
        ]
        return said[0] if len(set(said)) == 1 else f"{said[0]}, and so on"

    def begin(self, section: str) -> dict[str, str]:
        """So that it has its place. Gives its options, as they are written."""
        self._taken.add(section.lower())
        return self._sections.setdefault(section, {})

    def drop(self, section: str) -> None:
        """It was nothing after all."""
        self._taken.discard(section.lower())
        self._sections.pop(section, None)

    @contextlib.contextmanager
    def whole(self, section: str) -> Iterator[None]:
        """A section that is nothing at all if a part of it cannot be written."""
        try:
            yield
        except Unfit:
            self.drop(section)
            raise

    def has(self, section: str, key: str) -> bool:
        """Whether an option is set."""
        return key in self._sections.get(section, {})

    def free_name(self, kind: str, wanted: str) -> str:
        """A name that nobody has, and that needs no quotes anywhere."""
        clean = "".join(char if char.isalnum() or char in SAFE else "-" for char in wanted)
        clean = clean.strip("-") or kind
        name, number = clean, 1
        while f"{kind}:{name}".lower() in self._taken:
            number += 1
            name = f"{clean}-{number}"
        return name

    def groups(self) -> list[list[str]]:
        """The lines of each header and option, without what has no options."""
        found: list[list[str]] = []
        for name, options in self._in_order():
            if options:
                found += [[""]] if found else []
                found += [[f"[{name}]"], *(text.split("\n") for text in options.values())]
        return found

    def _in_order(self) -> list[tuple[str, dict[str, str]]]:
        found: dict[str, dict[str, str]] = {}
        for name, options in self._sections.items():
            found.setdefault(name, options)
            environment = f"env:{name.removeprefix('watcher:')}"
            if name.startswith("watcher:") and environment in self._sections:
                found.setdefault(environment, self._sections[environment])
        return list(found.items())


def literal(text: str, *, environment: bool = False) -> str:
    """The text, in which circusd will replace nothing. Raises Unfit.

    `environment`: as the value of a variable, in which `$NAME` is one too.
    """
    for name in variables.looked_up(text):
        if name == "wid" or name.startswith(("circus.", "env.")):
            raise Unfit(f"circusd would replace a variable in {text!r}")
    if environment and (found := variables.IN_ENVIRONMENT.search(text)) and found["shell"]:
        say = f"circusd would replace {found[0]} with a variable of its own environment"
        raise Unfit(say, "write this one into a file, and name that in env_file")
    return text


def _check(kind: str, key: str, value: str) -> None:
    """Raises Unfit for what `circusd --check` would refuse, whatever variables hold."""
    found = row_of(MODELS[kind], key)
    if found is None:
        raise Unfit(f"there is no option {key!r}")
    if OF_CIRCUSD in value:
        return
    try:
        found[0].kind.parse(value)
    except ValueError as error:
        raise Unfit(str(error)) from error
    if (kind, key) == ("socket", "path") and len(value.encode()) > SOCKET_PATH:
        raise Unfit(f"the kernel takes {SOCKET_PATH} bytes for the path of a socket")


def _written(key: str, value: str, *, free: bool) -> str:
    """Lines that are read as just this. `free`: blanks around the value do not count."""
    lines = value.split("\n")
    forms = [[f"{key} = {lines[0]}".rstrip(), *(f"{INDENT}{line}" for line in lines[1:])]]
    if free:
        forms.append([f"{key} =", *(f"{INDENT}{line}" for line in lines)])
    for form in forms:
        text = "\n".join(form)
        read = _read_back(text, key)
        if read == value or (free and read is not None and read.strip() == value):
            return text
    raise Unfit("a configuration file cannot hold it as it is")


def _read_back(text: str, key: str) -> str | None:
    parsed = Parsed()
    parsed.read(f"[x]\n{text}\n".encode("utf-8", "surrogateescape"), "x")
    sections = parsed.sections
    if parsed.problems or list(sections) != ["x"] or list(sections["x"].options) != [key]:
        return None
    return sections["x"].options[key].value
