"""Print or write what became of somebody else's configuration, and tell of each of its lines."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from typing import TYPE_CHECKING

from circus.ctl import exits
from circus.ctl.output import complain, say
from circus.exc import CircusError
from circus.importers.convert import convert

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_file(
    source: str,
    file: str,
    output: str | None = None,
    instances: str | None = None,
    *,
    force: bool = False,
    as_json: bool,
) -> int:
    """Carry out `circusctl import`. Returns the exit status. Raises CircusError."""
    if output is not None and not force and os.path.lexists(output):
        raise _there_already(output)
    found = convert(source, file, output or file, socket.gethostname(), instances)
    if output is not None:
        write(output, found.text, force=force)
    if as_json:
        say(json.dumps({"output": output, "configuration": found.text, **found.report.as_json()}))
    else:
        if output is None:
            say(found.text.removesuffix("\n"))
        complain("\n".join(map(str, found.report.in_order())))
        complain(found.report.summary())
    return exits.INCOMPLETE if found.report.is_open else 0


def write(path: str, text: str, *, force: bool) -> None:
    """Put a file there all at once, which only its user can read. Raises CircusError.

    A file that is there is left alone without `force`; with it, the new one has its mode.
    """
    target = os.path.realpath(path) if force else path
    try:
        with _draft(target, text) as draft:
            if force:
                if os.path.exists(target):
                    os.chmod(draft, os.stat(target).st_mode & 0o7777)
                os.replace(draft, target)
            else:
                os.link(draft, target)
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        raise CircusError(f"cannot write {path!r}: {error.strerror}") from error


@contextlib.contextmanager
def _draft(target: str, text: str) -> Iterator[str]:
    fd, draft = tempfile.mkstemp(prefix=".circus-", dir=os.path.dirname(target) or ".")
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        yield draft
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)


def _there_already(path: str) -> CircusError:
    return CircusError(f"cannot write {path!r}: it exists (--force overwrites it)")
