"""How many connections wait to be accepted: asked of the kernel, which answers at once."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

TCP_INFO = struct.Struct("=24x2I")
"""Of a listening socket the two numbers are those that wait and the most that may."""

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
UDIAG_SHOW_RQLEN = 0x10
ANY = 0xFFFFFFFF

HEADER = struct.Struct("=IHHII")
UNIX_REQUEST = struct.Struct("=BBHIIIII")
UNIX_ANSWER_LENGTH = 16
ATTRIBUTE_HEADER = 4
NUMBER = struct.Struct("=I")


def waiting(sock: socket.socket) -> int | None:
    """Connections in the queue of a listening socket; None where the kernel does not tell."""
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_UNIX:
            return _of_unix(os.fstat(sock.fileno()).st_ino)
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        return int(TCP_INFO.unpack(info)[0])
    return None


def _of_unix(inode: int) -> int | None:
    """See sock_diag(7)."""
    request = UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, ANY, inode, UDIAG_SHOW_RQLEN, ANY, ANY)
    length = HEADER.size + len(request)
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_NETLINK, kind, NETLINK_SOCK_DIAG) as kernel:
        kernel.send(HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0) + request)
        answer = kernel.recv(4096)
    if HEADER.unpack_from(answer)[1] != SOCK_DIAG_BY_FAMILY:  # it is of another network namespace
        return None
    # nothing else was asked for, so it comes first
    return int(NUMBER.unpack_from(answer, HEADER.size + UNIX_ANSWER_LENGTH + ATTRIBUTE_HEADER)[0])
