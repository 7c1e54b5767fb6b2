"""Print or write what became of somebody else's configuration, and tell of each of its lines."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import sys
import tempfile
from typing import TYPE_CHECKING

from circus.ctl import exits
from circus.ctl.output import complain, printable_lines, say
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
            say(_shown(found.text.removesuffix("\n")))
        complain("\n".join(map(str, found.report.in_order())))
        complain(found.report.summary())
    return exits.INCOMPLETE if found.report.is_open else 0


def _shown(text: str) -> str:
    """What a terminal would act on is written out where one reads; files get it as it is."""
    return printable_lines(text) if sys.stdout.isatty() else text


def write(path: str, text: str, *, force: bool) -> None:
    """Put a file there all at once, which only its user can read. Raises CircusError.

    A file that is there is left alone without `force`; with it, the new one has its mode, and its
    owner and group where we may give it away.
    """
    target = os.path.realpath(path) if force else path
    try:
        with _draft(target, text) as draft:
            if force:
                with contextlib.suppress(FileNotFoundError):
                    _be_like(draft, _regular(target))
                os.replace(draft, target)
            else:
                os.link(draft, target)
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        raise CircusError(f"cannot write {path!r}: {error.strerror}") from error


def _regular(path: str) -> os.stat_result:
    """What is there. Raises OSError, for a device too: nothing may take its place."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return found


def _be_like(draft: str, former: os.stat_result) -> None:
    with contextlib.suppress(PermissionError):
        os.chown(draft, former.st_uid, former.st_gid)
    os.chmod(draft, stat.S_IMODE(former.st_mode))


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
