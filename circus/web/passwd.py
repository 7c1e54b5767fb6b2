"""`circushttpd passwd` and `circushttpd token`: who may log in to the console, and with what."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import TYPE_CHECKING

from circus.access import Role
from circus.exc import CircusError
from circus.web.users import (
    NAME,
    PASSWORD_MOST,
    ROLES,
    Entry,
    entries,
    new_token,
    password_secret,
    put,
    token_secret,
)
from circus.web.visitor import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST = 8
"""Characters of a password."""
VERBS = ("passwd", "token")
FAILED, DONE = 1, 0


def main(words: Sequence[str]) -> int:
    """Carry out one of VERBS. Returns the exit status."""
    args = parser().parse_args(words)
    try:
        if not NAME.fullmatch(args.name):
            raise CircusError(f"{args.name!r} is no name: letters, digits, and . _ @ + - inside")
        said = _passwd(args) if args.verb == "passwd" else _token(args)
    except (CircusError, OSError) as error:
        print(f"circushttpd: {error}", file=sys.stderr)  # noqa: T201 for a person
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    print(said)  # noqa: T201 for a person, or a program that keeps the token
    return DONE


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    found = argparse.ArgumentParser("circushttpd", description=__doc__)
    verbs = found.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("passwd", help="set somebody's password; it is asked for, or read")
    one.add_argument("file", metavar="FILE", help="password_file of the console")
    one.add_argument("name", metavar="USER")
    one.add_argument("--role", choices=[*Role], help="what they may do; read unless they have one")
    one = verbs.add_parser("token", help="make a token for a program, and print it once")
    one.add_argument("file", metavar="FILE", help="password_file of the console")
    one.add_argument("name", metavar="NAME")
    one.add_argument("--role", choices=ROLES, default=METRICS, help=f"{METRICS} unless given")
    return found


def _passwd(args: argparse.Namespace) -> str:
    known = entries(args.file).get(args.name) if os.path.exists(args.file) else None
    role = args.role or (known.role if known and known.role in list(Role) else Role.READ)
    put(args.file, Entry(args.name, role, password_secret(_password(args.name))))
    return f"{args.name} may {role}, with this password"


def _token(args: argparse.Namespace) -> str:
    token = new_token()
    put(args.file, Entry(args.name, args.role, token_secret(token)))
    return token


def _password(name: str) -> bytes:
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {name}: ")
        if getpass.getpass("Once more: ") != password:
            raise CircusError("these are two different passwords; nothing has changed")
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST:
        raise CircusError(f"a password has at least {SHORTEST} characters")
    data = password.encode("utf-8", "surrogateescape")
    if len(data) > PASSWORD_MOST:
        raise CircusError(f"a password has at most {PASSWORD_MOST} bytes")
    return data
