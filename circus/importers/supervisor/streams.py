"""Where Supervisor leads the output of a program."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.report import Option, Verdict, changed, decide, kept
from circus.importers.supervisor.forms import TRUE

if TYPE_CHECKING:
    from circus.importers.report import Handler
    from circus.importers.supervisor.program import Program

SIZE = re.compile(r"([0-9]+)(KB|MB|GB)?", re.IGNORECASE)
UNITS = {"": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
MAX_BYTES, BACKUPS = "50MB", 10
"""Of a file that does not say."""
OWN = {"stdout": ("/dev/stdout", "/dev/fd/1"), "stderr": ("/dev/stderr", "/dev/fd/2")}
NOWHERE = ("none", "/dev/null")
WORDS = ("auto", "syslog", "none")
"""Instead of a file."""
INHERITED = "no file, it goes where circusd's own does, under systemd to the journal"


def logfile(program: Program, option: Option) -> Verdict:
    """The file of one stream, or of both."""
    stream = option.key.partition("_")[0]
    both = program.flag("redirect_stderr")
    if stream == "stderr" and both:
        return kept("nothing: redirect_stderr leads it to standard output")
    streams = ("stdout", "stderr") if both else (stream,)
    word = option.value.lower()
    if word == "auto":
        return changed(INHERITED)
    if word in NOWHERE:
        return kept(" and ".join(program.put(f"close_child_{one}", "True") for one in streams))
    if word == "syslog":
        return changed(_journal(program, streams))
    if option.value in OWN[stream]:
        return kept(INHERITED)
    if stream == "stderr" and option.value in OWN["stdout"]:
        return kept(program.put("stderr_stream.class", "StdoutStream"))
    if option.value.startswith("/dev/"):
        return decide(INHERITED, f"{option.value} is no file; name one, or leave it so")
    return kept(_file(program, stream, streams, option.value))


def leads(program: Program, stream: str) -> bool:
    """Whether something is said of where a stream goes."""
    if stream == "stderr" and program.flag("redirect_stderr"):
        return True
    return f"{stream}_logfile" in program.section.options or program.flag(f"{stream}_syslog")


def _file(program: Program, stream: str, streams: tuple[str, ...], path: str) -> str:
    if path.startswith("~"):
        raise Unfit("~ is not replaced here", "write the whole path")
    said, limit, backups = "", _bytes(MAX_BYTES), BACKUPS
    with contextlib.suppress(Unfit):  # which is told where it is written
        limit = _bytes(program.value(f"{stream}_logfile_maxbytes", MAX_BYTES))
        backups = program.number(f"{stream}_logfile_backups", BACKUPS)
    for one in streams:
        said = program.put_text(f"{one}_stream.filename", path)
        if limit:
            program.put(f"{one}_stream.max_bytes", str(limit))
            program.put(f"{one}_stream.backup_count", str(backups))
    return said if len(streams) == 1 else f"{said}, and that of {streams[0]}"


def _bytes(text: str) -> int:
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise Unfit(f"{text!r} is not a size such as 50MB", "mend it")
    return int(found[1]) * UNITS[(found[2] or "").upper()]


def size(key: str) -> Handler[Program]:
    """When a file is begun anew, or how many old ones are kept."""

    def handler(program: Program, option: Option) -> Verdict:
        stream = option.key.partition("_")[0]
        if not _has_file(program, stream):
            return kept("nothing: there is no file to limit")
        if not _bytes(program.value(f"{stream}_logfile_maxbytes", MAX_BYTES)):
            return kept("a file without a limit")
        backups = program.number(f"{stream}_logfile_backups", BACKUPS)
        number = _bytes(option.value) if key == "max_bytes" else backups
        return kept(f"{stream}_stream.{key} = {number}")

    return handler


def _has_file(program: Program, stream: str) -> bool:
    """Whether circusd writes the output of a stream into a file of its own."""
    path = program.value(f"{stream}_logfile")
    led = stream == "stderr" and program.flag("redirect_stderr")
    return not led and bool(path) and path.lower() not in WORDS and path[:5] != "/dev/"


def syslog(program: Program, option: Option) -> Verdict:
    """To syslog as well."""
    stream = option.key.partition("_")[0]
    if option.value.lower() not in TRUE:
        return kept("nothing: it is off")
    if program.value(f"{stream}_logfile").lower() in ("", "auto", *NOWHERE):
        return changed(_journal(program, (stream,)))
    say = f"output goes to one place, which is {stream}_logfile"
    return decide(say, f"{stream}_stream.class = JournalStream leads it to the journal instead")


def _journal(program: Program, streams: tuple[str, ...]) -> str:
    return " and ".join(program.put(f"{one}_stream.class", "JournalStream") for one in streams)


def redirect(program: Program, _option: Option) -> Verdict:
    """Whether standard error goes where standard output does."""
    if not program.flag("redirect_stderr"):
        return kept("each stream goes its own way")
    if program.value("stdout_logfile") in OWN["stdout"]:
        return kept(program.put("stderr_stream.class", "StdoutStream"))
    word = program.value("stdout_logfile").lower()
    if word in ("", "auto") or (word.startswith("/dev/") and word not in NOWHERE):
        return changed(INHERITED)
    return kept("stderr_stream, the same as stdout_stream")
