"""A watcher's output as resources: in pieces to follow, and as a file."""

from __future__ import annotations

import json
import os
import re
from typing import IO, TYPE_CHECKING, ClassVar

import falcon

from circus.access import Role
from circus.ctl import journal
from circus.ctl.printer import BLOCK_BYTES
from circus.exc import MessageError, NotFound
from circus.web.api.requests import accept_json, refuse_strange
from circus.web.logs import cursor
from circus.web.logs.files import opened
from circus.web.logs.reading import LINES, LINES_MAX, STREAMS, Asked, Output, moment
from circus.web.names import from_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.web.parts import Parts

NO_FILE = re.compile(r'[\x00-\x1f\x7f"/\\]')
"""What cannot be in the name of a file everywhere, or not in a header."""
RAW_RECORDS = 20_000
"""Of the journal, when its part is asked for as a file."""


class Logs:
    """`/api/v1/watchers/{name}/logs`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """The last lines, or those after a cursor."""
        accept_json(req)
        asked = _asked(req)
        output = Output(self._parts.controller, from_path(name))
        found = output.read(asked)
        answer = {**found._asdict(), "lines": [one._asdict() for one in found.lines]}
        resp.content_type = falcon.MEDIA_JSON
        resp.data = json.dumps(answer).encode()


class RawLogs:
    """`/api/v1/watchers/{name}/logs/raw`: the whole file, or the last of the journal."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """As it is now; what is written meanwhile is not in it."""
        refuse_strange(req, ("stream",))
        output = Output(self._parts.controller, from_path(name))
        controller = self._parts.controller
        controller.take_place()
        try:
            download = _download(output, _stream(req), controller.places.release)
        except BaseException:
            controller.places.release()
            raise
        resp.content_type = "text/plain; charset=utf-8"
        resp.downloadable_as = f"{NO_FILE.sub('_', output.name)}.log"
        if download.size is None:
            resp.stream = download
        else:
            resp.set_stream(download, download.size)


class Download:
    """As much of a file as there was at first. Closes it, and calls `done`, once."""

    def __init__(self, file: IO[bytes], size: int | None, done: Callable[[], None]) -> None:
        self.size = size
        """Bytes; None when nobody knows yet."""
        self._file = file
        self._left = size
        self._done: Callable[[], None] | None = done

    def read(self, size: int | None = None) -> bytes:
        """Some of it; empty at the end."""
        wanted = BLOCK_BYTES if size is None or size < 0 else size
        data = self._file.read(wanted if self._left is None else min(wanted, self._left))
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        """Also when nobody wants the rest."""
        done, self._done = self._done, None
        if done is not None:
            self._file.close()
            done()


def _download(output: Output, stream: str | None, done: Callable[[], None]) -> Download:
    for one in output.chosen(stream):
        file = opened(one.path)
        if file is not None:
            return Download(file, os.fstat(file.fileno()).st_size, done)
    wanted = output.wanted(Asked(stream=stream))
    if not wanted:
        raise NotFound(output.nowhere(stream))
    program = journal.journalctl([f"--lines={RAW_RECORDS}", *wanted], "short-iso")

    def ended() -> None:
        program.kill()
        program.wait()
        done()

    return Download(journal.output(program), None, ended)


def _asked(req: falcon.Request) -> Asked:
    """Raises MessageError, ArgumentError."""
    refuse_strange(req, ("cursor", "lines", "since", "stream"))
    given = req.get_param("cursor")
    since = req.get_param("since")
    return Asked(
        lines=_lines(req),
        cursor=cursor.read(given) if given else None,
        since=moment(since) if since else None,
        stream=_stream(req),
    )


def _lines(req: falcon.Request) -> int:
    text = req.get_param("lines", default=str(LINES))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= LINES_MAX):
        raise MessageError(f"'lines' must be between 1 and {LINES_MAX}")
    return int(text)


def _stream(req: falcon.Request) -> str | None:
    stream: str | None = req.get_param("stream")
    if stream is not None and stream not in STREAMS:
        raise MessageError(f"'stream' must be one of {', '.join(STREAMS)}")
    return stream
