"""Reading units of systemd: a file, its drop-ins, and which of their lines count."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from circus.exc import CircusError
from circus.importers.files import matching, read
from circus.importers.report import Option, Report, changed, lost

HEADER = re.compile(r"\[(?P<name>[^\]\[]+)\]")
LISTS = frozenset({
    "ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost",
    "ExecCondition", "Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment",
    "SupplementaryGroups", "SuccessExitStatus", "RestartPreventExitStatus",
    "RestartForceExitStatus", "ListenStream", "ListenDatagram", "ListenSequentialPacket",
    "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "After", "Before",
    "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Conflicts", "Upholds", "OnFailure",
    "OnSuccess", "WantedBy", "RequiredBy", "UpheldBy", "Also", "Alias", "Documentation",
    "RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory",
    "ConfigurationDirectory", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths",
    "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "CapabilityBoundingSet",
    "AmbientCapabilities", "SystemCallFilter", "SystemCallArchitectures", "SystemCallLog",
    "RestrictAddressFamilies", "RestrictNamespaces", "DeviceAllow", "IPAddressAllow",
    "IPAddressDeny", "LoadCredential", "SetCredential", "TemporaryFileSystem", "SecureBits",
    "Sockets", "LogExtraFields", "RequiresMountsFor", "WantsMountsFor", "JoinsNamespaceOf",
    "OpenFile", "ImportCredential", "LoadCredentialEncrypted", "SetCredentialEncrypted",
    "RestrictFileSystems", "IPIngressFilterPath", "IPEgressFilterPath", "SocketBindAllow",
    "SocketBindDeny", "ExtensionImages", "ExtensionDirectories", "MountImages", "Symlinks",
    "RestrictNetworkInterfaces", "IODeviceWeight", "IOReadBandwidthMax", "IOWriteBandwidthMax",
    "IODeviceLatencyTargetSec", "IOReadIOPSMax", "IOWriteIOPSMax", "DisableControllers",
    "LogFilterPatterns",
})  # fmt: skip
"""Directives of which each line adds to those before; an empty one forgets them."""
EMPTY = ("CapabilityBoundingSet",)
"""Directives of which an empty line is a value of its own: here, no capability at all."""
COVERS = {"TimeoutSec": ("TimeoutStartSec", "TimeoutStopSec")}
"""A directive that is several at once: it counts instead of those that stand before it."""
TESTS = ("Condition", "Assert")
OTHERS = ("program:", "watcher:", "circus", "supervisord")


@dataclass
class Unit:
    """What counts of a unit, by section and name, in the order of its lines."""

    path: str
    report: Report
    sections: dict[str, dict[str, list[Option]]] = field(default_factory=dict)
    headers: list[tuple[str, Option]] = field(default_factory=list)

    def load(self) -> None:
        """The file, then its drop-ins. Raises CircusError."""
        self._file(self.path)
        if not self.headers:
            raise CircusError(f"{self.path}: this is no unit of systemd, it has no [Section]")
        for path in _drop_ins(self.path):
            self._file(path)

    def options(self, section: str, key: str) -> list[Option]:
        """Those that count."""
        return self.sections.get(section, {}).get(key, [])

    def value(self, section: str, key: str, default: str = "") -> str:
        """Of the last one."""
        found = self.options(section, key)
        return found[-1].value if found else default

    def _file(self, path: str) -> None:
        section = ""
        for text, first, last in _lines(read(path)):
            header = HEADER.fullmatch(text)
            if header:
                section = header["name"]
                if section.startswith(OTHERS):
                    raise CircusError(f"{path}:{first}: [{section}] is not of systemd")
                self.headers.append((section, Option("", "", path, first, last, text)))
                continue
            key, equals, value = (part.strip() for part in text.partition("="))
            option = Option(key, value, path, first, last, text)
            if not section:
                raise CircusError(f"{path}:{first}: {text[:40]!r} stands before any [Section]")
            if not equals or not key:
                self.report.add(option, lost("systemd passes over it, it is not NAME=value"))
                continue
            self._add(section, option)

    def _add(self, section: str, option: Option) -> None:
        options = self.sections.setdefault(section, {})
        found = options.setdefault(option.key, [])
        listed = option.key in LISTS or option.key.startswith(TESTS)
        if (option.value and listed) or option.key in EMPTY:
            found.append(option)
            return
        covered = COVERS.get(option.key, ()) if option.value else ()
        for key in (option.key, *covered):
            self._forget(options.get(key, []), option)
        if option.value:
            found.append(option)
        else:
            self.report.add(option, changed("nothing, as said: what was before it is forgotten"))

    def _forget(self, found: list[Option], later: Option) -> None:
        for before in found:
            self.report.add(before, changed(f"{later.file} line {later.line} counts instead"))
        found.clear()


def stem_of(path: str) -> tuple[str, str | None]:
    """The name of a unit without its type, and its instance: nothing for a template."""
    stem = os.path.basename(path).rpartition(".")[0] or os.path.basename(path)
    name, at, instance = stem.partition("@")
    return (name, instance) if at else (name, None)


def _drop_ins(path: str) -> list[str]:
    """In their order; one of an instance counts instead of its template's with the same name."""
    stem, instance = stem_of(path)
    units = [path]
    if instance:
        ending = path.rpartition(".")[2]
        units.append(os.path.join(os.path.dirname(path), f"{stem}@.{ending}"))
    found: dict[str, str] = {}
    for unit in units:
        for one in matching(f"{unit}.d", "*.conf"):
            found.setdefault(os.path.basename(one), one)
    return [found[name] for name in sorted(found)]


def _lines(text: str) -> list[tuple[str, int, int]]:
    """Lines that say something, put together where a backslash says so, with their numbers."""
    found: list[tuple[str, int, int]] = []
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped[:1] in ("#", ";") or (not stripped and not parts):
            continue
        first = first if parts else number
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        found.append((" ".join([*parts, stripped]).strip(), first, number))
        parts = []
    if parts:
        found.append((" ".join(parts).strip(), first, text.count("\n") + 1))
    return [one for one in found if one[0]]
