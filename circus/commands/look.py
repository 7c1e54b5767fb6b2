"""Commands that ask and change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.access import Role
from circus.commands.command import Command, Reply, argument, command
from circus.commands.kinds import Count, Name, Pid, Words
from circus.commands.output import output_lines, outputs
from circus.commands.text import duration, options_lines, process_lines
from circus.exc import MessageError, NotFound

if TYPE_CHECKING:
    from circus.engine import Engine
    from circus.listener import CircusSocket
    from circus.threads import Outcome
    from circus.watcher import Watcher


CONCEALED = "***"
"""In place of a value that is not for everybody."""


@command("list", Role.READ)
class List(Command):
    """Get list of watchers or processes in a watcher."""

    name: Name | None = argument("the watcher", default=None)

    def run(self, engine: Engine) -> Reply:
        """Lower-cased names, or pids in the order they were started."""
        if self.name is not None:
            return {"pids": engine.get_watcher(self.name).pids()}
        return {"watchers": sorted(watcher.name.lower() for watcher in engine.watchers)}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """Names or pids with commas between."""
        found = reply["pids"] if "pids" in reply else reply["watchers"]
        return ",".join(str(one) for one in found)


@command("status", Role.READ)
class Status(Command):
    """Get the status of a watcher or all watchers.

    One of active, frozen, starting, stopping, stopped.
    """

    several = True
    nothing = "no watchers"

    name: Name | None = argument("the watcher", default=None)

    def run(self, engine: Engine) -> Reply:
        """For one watcher, the state stands in the answer's own `status`.

        Of all, with the watchers of each group as `groups` when there are groups.
        """
        if self.name is not None:
            return {"status": engine.get_watcher(self.name).status()}
        groups = _groups(engine)
        return {"statuses": engine.statuses(), **({"groups": groups} if groups else {})}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """Name and state, one per line, or the state."""
        if "statuses" not in reply:
            return str(reply["status"])
        return "\n".join(f"{name}: {word}" for name, word in sorted(reply["statuses"].items()))


def _groups(engine: Engine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for watcher in engine.watchers:
        if watcher.config.group:
            found.setdefault(watcher.config.group, []).append(watcher.name)
    return found


@command("is-active", Role.READ)
class IsActive(Command):
    """Tell whether watchers are active.

    Exit status 0 when all are, 3 when one is not.
    """

    names: Words = argument("the watchers", metavar="NAME")

    def run(self, engine: Engine) -> Reply:
        """`active` is true when all are."""
        states = [(name, engine.get_watcher(name).status()) for name in self.names]
        return {
            "active": all(state == "active" for _, state in states),
            "statuses": dict(states),
        }

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The states, in the order that was asked."""
        return "\n".join(reply["statuses"].values())

    @classmethod
    def verdict(cls, reply: Reply) -> int:
        """No is an answer like that of a daemon that refuses."""
        return 0 if reply["active"] else 3


@command("why", Role.READ)
class Why(Command):
    """Tell what workers are doing, and why.

    Since when, what happened last, what comes next and when.
    """

    nothing = "no watchers"

    name: Name | None = argument("the watcher, or one worker", default=None, metavar="NAME[.WID]")

    def run(self, engine: Engine) -> Reply:
        """Durations are in seconds."""
        if self.name is None:
            return {"watchers": [_explain(engine, watcher) for watcher in engine.watchers]}
        return {"watchers": [_explain(engine, *_worker(engine, self.name))]}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """One line for each worker, or for a watcher that has none."""
        return "\n".join(line for watcher in reply["watchers"] for line in _why_lines(watcher))


def _worker(engine: Engine, name: str) -> tuple[Watcher, int | None]:
    try:
        return engine.get_watcher(name), None
    except NotFound:
        watcher, dot, wid = name.rpartition(".")
        if not dot or not (wid.isascii() and wid.isdigit()) or len(wid) > 9:
            raise
        return engine.get_watcher(watcher), int(wid)


def _explain(engine: Engine, watcher: Watcher, wid: int | None = None) -> Reply:
    return {
        "name": watcher.name,
        "state": watcher.status(),
        "group": watcher.config.group,
        "waits_for": engine.orders.waits_for(watcher) or None,
        "numprocesses": watcher.numprocesses,
        "generation": watcher.generation,
        "halted": watcher.halted or None,
        "unlimited": watcher.unlimited or None,
        "slots": watcher.why(wid),
    }


def _why_lines(watcher: Reply) -> list[str]:
    name = watcher["name"]
    word, halted = watcher["state"], watcher["halted"]
    if not watcher["slots"]:
        waits = f"waits for {watcher['waits_for']}" if watcher["waits_for"] else ""
        return [f"{name}  " + ", ".join(filter(None, [word, waits, halted]))]
    lines = [(name, f"{word}, {halted}")] if halted else []
    lines += [(name, watcher["unlimited"])] if watcher.get("unlimited") else []
    lines += [(f"{name}.{slot['wid']}", _slot_text(slot)) for slot in watcher["slots"]]
    width = max(len(label) for label, _ in lines)
    return [f"{label:<{width}}  {text}" for label, text in lines]


def _slot_text(slot: Reply) -> str:
    text = f"{slot['what']} since {duration(slot['since'])}"
    if slot["pid"]:
        text += f", pid {slot['pid']}"
    if slot["last"]:
        text += f": {slot['last']}"
    if slot["next"] and slot["next"] != "nothing":
        text += f"; {slot['next']}"
    if slot["restarts"]:
        text += "; restarted " + ("once" if slot["restarts"] == 1 else f"{slot['restarts']} times")
    return text


@command("stats", Role.READ)
class Stats(Command):
    """Get process infos.

    Of all workers, of those of a watcher, or of one. Memory is resident and virtual. "tree" is what
    a worker with a control group uses together with all that it started: CPU in percent since the
    last look and in seconds, memory in bytes and the number of tasks where they are counted. Also
    how much of the output that circusd reads was written on, and how much was dropped.
    """

    nothing = "no watchers"

    name: Name | None = argument("the watcher", default=None)
    process: Pid | None = argument("one worker only", default=None, metavar="PID")
    extended: bool = argument("ask the extended_stats hook too", default=False)

    def run(self, engine: Engine) -> Reply | Outcome[Reply]:
        """Read from the kernel now. The output is that of all workers since circusd started."""
        if self.name is None:
            if self.process is not None:
                raise MessageError("message invalid 'name' is missing")
            infos = {watcher.name: watcher.info() for watcher in engine.watchers}
            return {"infos": infos, "outputs": outputs(engine)}
        watcher = engine.get_watcher(self.name)
        if self.extended and "extended_stats" in watcher.config.hooks:
            return engine.keep(self._extended(watcher))
        if self.process is None:
            output = outputs(engine).get(watcher.name, {})
            return {"name": self.name, "info": watcher.info(), "output": output}
        return {"process": self.process, "info": watcher.process_info(self.process)}

    async def _extended(self, watcher: Watcher) -> Reply:
        infos = await watcher.extended(self.process)
        if self.process is None:
            return {"name": self.name, "info": infos}
        return {"process": self.process, "info": infos[str(self.process)]}

    @property
    def checked(self) -> bool:
        """A hook has to answer first."""
        return self.extended

    @classmethod
    def show(cls, reply: Reply) -> str:
        """A line for each process, its children indented."""
        if "infos" in reply:
            written = reply.get("outputs", {})  # circus 0.19 has none
            return "\n".join(
                line
                for name, info in reply["infos"].items()
                for line in _watcher_lines(name, info, written.get(name, {}))
            )
        if "process" in reply:
            return "\n".join([*process_lines(reply["process"], reply["info"]), ""])
        return "\n".join(_watcher_lines(reply["name"], reply["info"], reply.get("output", {})))


def _watcher_lines(name: str, info: Reply, output: Reply) -> list[str]:
    workers = [line for pid, one in info.items() for line in process_lines(pid, one)]
    return [f"{name}:", *workers, *output_lines(output)]


@command("options", Role.READ)
class Options(Command):
    """Get the value of all options for a watcher."""

    name: Name = argument("the watcher")

    def run(self, engine: Engine) -> Reply:
        """Under the keys that a configuration file uses."""
        return {"options": _options(engine, self.name)}

    def shown_to(self, role: Role, reply: Reply) -> Reply:
        """Values of variables are for administrators."""
        return reply if role is Role.ADMIN else {"options": _without_secrets(reply["options"])}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """`key: value` lines."""
        return options_lines(reply["options"])


@command("get", Role.READ)
class Get(Command):
    """Get the value of specific watcher options."""

    name: Name = argument("the watcher")
    keys: Words = argument("the options", metavar="KEY")

    def run(self, engine: Engine) -> Reply:
        """In the order that was asked."""
        options = _options(engine, self.name)
        for key in self.keys:
            if key not in options:
                raise MessageError(f"{key[:40]!r} option not found")
        return {"options": {key: options[key] for key in self.keys}}

    def shown_to(self, role: Role, reply: Reply) -> Reply:
        """Values of variables are for administrators."""
        return reply if role is Role.ADMIN else {"options": _without_secrets(reply["options"])}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """`key: value` lines."""
        return options_lines(reply["options"])


def _without_secrets(options: Reply) -> Reply:
    if not options.get("env"):
        return options
    return {**options, "env": dict.fromkeys(options["env"], CONCEALED)}


def _options(engine: Engine, name: str) -> dict[str, Any]:
    from circus.config.mapping import options_of

    return options_of(engine.get_watcher(name).config)


@command("numwatchers", Role.READ)
class NumWatchers(Command):
    """Get the number of watchers."""

    def run(self, engine: Engine) -> Reply:
        """All of them, running or not."""
        return {"numwatchers": len(engine.watchers)}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The number."""
        return str(reply["numwatchers"])


@command("listsockets", Role.READ)
class ListSockets(Command):
    """Get the list of sockets."""

    nothing = "no sockets"

    def run(self, engine: Engine) -> Reply:
        """By descriptor; `queue` is how many connections wait to be accepted now."""
        return {"sockets": [_socket(sock) for sock in sorted(engine.sockets.values(), key=_fd)]}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """Descriptor, name and address, then how many wait, one per line."""
        return "\n".join(_socket_line(sock) for sock in reply["sockets"])


def _fd(sock: CircusSocket) -> int:
    return sock.fd


def _socket(sock: CircusSocket) -> Reply:
    found: Reply = {"fd": sock.fd, "name": sock.name, "backlog": sock.backlog}
    found.update({"path": sock.path} if sock.path else {"host": sock.host, "port": sock.port})
    if (queue := sock.queue()) is not None:
        found["queue"] = queue
    return {**found, "so_reuseport": True} if sock.so_reuseport else found


def _socket_line(sock: Reply) -> str:
    place = sock["path"] if "path" in sock else f"{sock['host']}:{sock['port']}"
    line = f"{sock['fd']}:socket '{sock['name']}' at {place}"
    if "queue" in sock:
        line += f", {sock['queue']} of {sock['backlog']} waiting"
    return line + ", one for each worker" if sock.get("so_reuseport") else line


@command("logs", Role.READ)
class Logs(Command):
    """Show the output of a watcher, from its files or from the journal.

    With `-f` it goes on as more is written, across rotations, until it is interrupted.
    """

    local = True

    name: Name = argument("the watcher")
    follow: bool = argument("go on as more is written", default=False, flag="-f/--follow")
    lines: Count | None = argument(
        "begin this many lines before the end; 10 unless given, or all with --since",
        default=None,
        flag="-n/--lines",
        metavar="N",
    )
    since: str | None = argument(
        "begin at this time, as journalctl reads it; of the journal only",
        default=None,
        flag="--since",
        metavar="WHEN",
    )

    def run(self, engine: Engine) -> Reply:
        """It is read by circusctl, as whoever runs it."""
        raise MessageError("invalid message. 'logs' reads the files that 'options' names")
