"""Where a service of systemd reads from and writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.report import Option, Verdict, changed, decide, kept

if TYPE_CHECKING:
    from circus.importers.systemd.service import Service

IN_JOURNAL = "the journal, where circus.service has it go"


def standard_input(service: Service, option: Option) -> Verdict:
    """StandardInput=."""
    if option.value == "null":
        return kept("close_child_stdin = True, the default")
    if option.value == "socket" and service.sockets:
        return kept(service.put("stdin_socket", service.sockets[0]))
    return decide("it reads from /dev/null", f"nothing here is like {option.value}")


def standard_output(service: Service, option: Option) -> Verdict:
    """StandardOutput=, which counts for standard error too unless that is led elsewhere."""
    follows = service.value("StandardError", "inherit") == "inherit"
    return _led(service, option, ("stdout", "stderr") if follows else ("stdout",))


def standard_error(service: Service, option: Option) -> Verdict:
    """StandardError=."""
    if option.value == "inherit":
        return kept("the same as standard output")
    return _led(service, option, ("stderr",))


def _led(service: Service, option: Option, streams: tuple[str, ...]) -> Verdict:
    kind, colon, path = option.value.partition(":")
    if kind in ("journal", "inherit"):
        return kept(IN_JOURNAL)
    if kind in ("syslog", "kmsg") or kind.endswith("+console"):
        return changed(IN_JOURNAL)
    if kind == "null":
        return kept(" and ".join(service.put(f"close_child_{one}", "True") for one in streams))
    if colon and kind in ("file", "append", "truncate"):
        said = [service.put_text(f"{one}_stream.filename", path) for one in streams]
        if kind == "append":
            return kept(" and ".join(said))
        return changed(f"{' and '.join(said)}, which is appended to")
    if kind == "socket" and service.value("StandardInput") == "socket":
        raise Unfit("output into the socket of standard input", "use a server that accepts itself")
    return decide(IN_JOURNAL, f"nothing here is like {option.value}")
