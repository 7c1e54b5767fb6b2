"""The names that programs import, with their signatures and docstrings.

Run as a module, it writes docs/reference/python.md; a test fails when that file is stale.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus.resolve import resolve_name

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "reference" / "python.md"
ACTIONS = "start stop restart reload"
NAMES = {
    "circus.get_arbiter": "",
    "circus.arbiter.Arbiter": f"load_from_config {ACTIONS} add_watcher rm_watcher get_watcher"
    " watchers iter_watchers get_socket sockets statuses numwatchers numprocesses running",
    "circus.watcher.Watcher": f"{ACTIONS} incr decr set_numprocesses kill signal freeze thaw status"
    " why until settled pids processes get_process info set_opt options numprocesses env hooks",
    "circus.threads.Outcome": "",
    "circus.process.Process": "spawn stop wait poll is_alive send_signal send_signal_children"
    " children info age status",
    "circus.sockets.CircusSocket": "bind_and_listen close fd location queue load_from_config",
    "circus.client.CircusClient": "send_message call call_all stop",
    "circus.client.AsyncCircusClient": "send_message call stop",
    "circus.consumer.CircusConsumer": "iter_messages stop",
    "circus.stats.client.StatsClient": "iter_messages stop",
    "circus.plugins.CircusPlugin": "handle_init handle_recv handle_stop call cast split_data"
    " load_message start stop",
    "circus.stream.get_stream": "",
    "circus.exc.CircusError": "",
    "circus.exc.CallError": "",
    "circus.exc.ConfigError": "",
    "circus.exc.ConflictError": "",
    "circus.exc.NotFound": "",
    "circus.exc.RetryLater": "",
}
"""What the manual promises, and which parts of it."""


def page() -> str:
    """The text of docs/reference/python.md."""
    lines = [
        "# Names in Python",
        "",
        "Written by `python -m docs.python_names` from the names themselves.",
        "",
        "What programs and plugins import, and what may be called there. How it goes together is",
        "said in [Circus in a program of yours](../library.md), [Hooks](../hooks.md),",
        "[Plugins](../plugins.md) and [circusctl](../circusctl.md#from-python). Other names are",
        "Circus's own.",
    ]
    module = ""
    for name, parts in NAMES.items():
        where, _, last = name.rpartition(".")
        if where != module:
            module = where
            lines += ["", f"## {module}"]
        lines += ["", f"### {last}", "", *described(last, resolve_name(name), parts.split())]
    return "\n".join(lines) + "\n"


def described(name: str, found: Any, parts: list[str]) -> Iterator[str]:
    """How it is called, what it is, and a row for each part."""
    if not (inspect.isclass(found) and issubclass(found, Exception)) and name != "Outcome":
        yield from ("```text", f"{name}({parameters(found)})", "```", "")
    about = found if inspect.isclass(found) or inspect.isfunction(found) else type(found).__call__
    paragraphs = (inspect.getdoc(about) or "").split("\n\n")
    yield "\n\n".join(" ".join(one.split()) for one in paragraphs)
    if parts:
        yield from ("", "| | |", "|---|---|")
    for part in parts:
        one = inspect.getattr_static(found, part)
        called = callable(getattr(found, part)) and not isinstance(one, property)
        how = f"{part}({parameters(getattr(found, part))})" if called else part
        said = " ".join((inspect.getdoc(one) or "").split()).replace("|", r"\|")
        yield f"| `{how}` | {said} |"


def parameters(function: Any) -> str:
    """Those that a caller gives, without their types."""
    signature = inspect.signature(function)
    given = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    text = str(signature.replace(parameters=given, return_annotation=inspect.Signature.empty))
    return re.sub(r"<(\w+\.\w+): \d+>", r"\1", text[1:-1])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
