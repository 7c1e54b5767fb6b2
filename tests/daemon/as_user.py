"""Runs a part of the tests as somebody else: everything is imported before the rights are gone.

`python as_user.py UID GROUP,GROUP speak ENDPOINT` reads messages, a JSON object a
line, and prints the answers. `… circusd ARGUMENT…`, circusctl and circus-top are those programs.
`… hear ENDPOINT MILLISECONDS` succeeds when something is published there within that time.
"""

from __future__ import annotations

import json
import os
import sys

import prctl
import zmq

from circus import circusctl, circusd, wire
from circus.top import program as top


def main() -> int:
    uid, groups, what, *arguments = sys.argv[1:]
    numbers = [int(group) for group in groups.split(",")]
    become(int(uid), numbers)
    if what == "circusd":
        return circusd.main(arguments)
    if what == "circusctl":
        return circusctl.main(arguments)
    if what == "circus-top":
        return top.main(arguments)
    if what == "hear":
        return hear(*arguments)
    return speak(arguments[0])


def become(uid: int, gids: list[int]) -> None:
    """Give every right away but one: Python may be below a folder that only root can enter."""
    os.setgroups(gids[1:])
    os.setresgid(gids[0], gids[0], gids[0])
    prctl.securebits.keep_caps = True
    os.setresuid(uid, uid, uid)
    if uid != 0:
        prctl.cap_permitted.limit(prctl.CAP_DAC_READ_SEARCH)
        prctl.cap_effective.limit(prctl.CAP_DAC_READ_SEARCH)
        prctl.cap_effective.dac_read_search = True
        prctl.set_dumpable(1)


def speak(endpoint: str) -> int:
    with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(endpoint)
        for number, line in enumerate(sys.stdin):
            sock.send(wire.with_id(json.loads(line), str(number)))
            if not sock.poll(30_000):
                return 1
            sys.stdout.write(f"{sock.recv().decode()}\n")
            sys.stdout.flush()
    return 0


def hear(endpoint: str, milliseconds: str) -> int:
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.subscribe(b"")
        sock.connect(endpoint)
        return 0 if sock.poll(int(milliseconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
