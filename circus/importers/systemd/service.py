"""A service of systemd while it is translated."""

from __future__ import annotations

import pwd
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.systemd.text import specified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from circus.importers.draft import Draft, Value
    from circus.importers.systemd.read import Unit

FOLDERS = {"t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc",
           "T": "/tmp", "V": "/var/tmp", "d": "/run/credentials"}  # fmt: skip # noqa: S108 nothing is made there
MADE = {"Runtime": "/run", "State": "/var/lib", "Cache": "/var/cache", "Logs": "/var/log",
        "Configuration": "/etc"}  # fmt: skip
"""Where systemd makes the folders of each directive, `RuntimeDirectory=` and so on."""
INSTALLED = ("WantedBy", "RequiredBy", "UpheldBy")
OF_ROOT = {"u": "root", "U": "0", "g": "root", "G": "0", "h": "/root"}
"""Users of systemd itself; User= has nothing to do with it."""
OF_INSTANCE = re.compile(r"%[iInN]")
RANGE = re.compile(r"([0-9]{1,6})-([0-9]{1,6})")
MOST = 200
"""Instances of one template."""


@dataclass
class Service:
    """Its watchers, each with what specifiers stand for in it."""

    unit: Unit
    draft: Draft
    host: str
    watchers: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    """Names of the sockets that it is given."""
    on_demand: bool = False
    """Whether the first connection to one of them starts it."""
    timer: str | None = None
    """The unit beside it that starts it at times."""

    def value(self, key: str, default: str = "") -> str:
        """An option of [Service]."""
        return self.unit.value("Service", key, default)

    def put(self, key: str, value: Value) -> str:
        """Set an option of each watcher. Raises Unfit."""
        return self.draft.put_all(self.watchers, key, value)

    def put_text(self, key: str, text: str) -> str:
        """The same, with specifiers in it."""
        return self.put(key, lambda names: self.text(text, names))

    def text(self, text: str, names: Mapping[str, object]) -> str:
        """With what each specifier stands for. Raises Unfit."""
        return specified(text, {key: str(value) for key, value in names.items()})

    def put_variable(self, name: str, value: Callable[[Mapping[str, object]], str]) -> None:
        """Set a variable of each watcher. Raises Unfit."""
        for watcher, names in self.watchers:
            self.draft.put(f"env:{watcher}", name, value(names))

    def home(self, names: Mapping[str, object]) -> str:
        """Of the user that it runs as. Raises Unfit. May block on a name service."""
        user = self.text(self.value("User", "root"), names)
        found = account_of(user)
        if found is None:
            raise Unfit(f"{user} is not known here", "write the path")
        return found.pw_dir

    def user_name(self, names: Mapping[str, object]) -> str:
        """Of the user that it runs as, also of one whose number is written. Raises Unfit."""
        user = self.text(self.value("User", "root"), names)
        found = account_of(user)
        return user if found is None else found.pw_name

    @property
    def installed(self) -> bool:
        """Whether it can be enabled, so that it starts with the machine."""
        return any(self.unit.options("Install", key) for key in INSTALLED)

    @property
    def name(self) -> str:
        """Of the first watcher."""
        return self.watchers[0][0]


def asked_instances(text: str) -> list[str]:
    """`1-4` or `red,blue`. Raises Unfit."""
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        span = RANGE.fullmatch(part)
        if span and int(span[1]) <= int(span[2]):
            found += [str(one) for one in range(int(span[1]), int(span[2]) + 1)][: MOST + 1]
        else:
            found.append(part)
    if not found or len(found) > MOST:
        raise Unfit(f"--instances: {text!r} is not from 1 to {MOST} instances")
    return list(dict.fromkeys(found))


def specifiers(name: str, instance: str | None, host: str) -> dict[str, object]:
    """What each stands for in one instance; of a user, the one whom systemd itself runs as."""
    whole = name if instance is None else f"{name}@{instance}"
    last = name.rpartition("-")[2]
    return {
        **FOLDERS, **OF_ROOT,
        "n": f"{whole}.service", "N": whole, "p": name, "P": name.replace("-", "/"),
        "j": last, "J": last, "H": host, "l": host.partition(".")[0],
        "i": instance or "", "I": (instance or "").replace("-", "/"),
    }  # fmt: skip


def account_of(user: str) -> pwd.struct_passwd | None:
    """A user of this machine, by name or number. May block on a name service."""
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        return None


def share_a_watcher(unit: Unit, instances: Iterable[str]) -> bool:
    """Whether instances 1 to N differ in their commands only, and so can be workers of one."""
    wanted = list(instances)
    if len(wanted) < 2 or wanted != [str(number) for number in range(1, len(wanted) + 1)]:
        return False
    service = unit.sections.get("Service", {})
    return not any(
        OF_INSTANCE.search(option.value) if key != "ExecStart" else "%n" in option.value.lower()
        for key, options in service.items()
        for option in options
    )
