"""What somebody may ask for who is no administrator: a watcher that runs as whoever adds it.

What such a watcher does, it does with the rights of that user. So nothing is taken that circusd
itself would do with its own rights: open files, import code, hand over sockets or variables.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from circus.access import Role
from circus.exc import Denied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from circus.access import Peer

OWN_RISK = frozenset({
    "cmd", "args", "executable", "shell", "shell_args", "working_dir", "env", "umask",
    "no_new_privileges", "close_child_stdout", "close_child_stderr",
})  # fmt: skip
"""Options that take an administrator otherwise, and mean no more than the user may do anyway."""
OF_CIRCUSD = ("env.", "circus.env.", "circus.sockets.")
"""Variables that stand for what circusd has."""
STREAMS = ("stdout_stream", "stderr_stream")
SHIPPED = "circus.stream."


def as_caller(peer: Peer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `add` for an operator. Raises Denied."""
    _refuse_who_cannot_be_run_as(peer)
    refused = sorted(key for key in given if not _is_harmless(key))
    if refused:
        raise Denied(
            f"denied: 'add' with {', '.join(refused)[:200]} needs admin; you are {peer}, who may "
            "operate: what you add runs as yourself, with what you may do"
        )
    for key, value in given.items():
        _refuse_variables(key, value)
    _refuse_others(peer, given)
    return {**_identity(peer), **given}


def as_owner(peer: Peer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `add` for the endpoint_owner: as itself, unless it says otherwise."""
    named = any(given.get(key) is not None for key in ("uid", "gid", "supplementary_groups"))
    return dict(given) if named else {**_identity(peer), **given}


def refuse_code(peer: Peer, verb: str, options: Mapping[str, Any]) -> None:
    """Raises Denied when options name code to import and nobody vouches for who asks."""
    if peer.known:
        return
    code = sorted(key for key, value in options.items() if _names_code(key, value))
    if code:
        raise Denied(
            f"denied: {verb!r} of {', '.join(code)[:200]} names code to import, which needs an "
            "administrator who is known; over tcp:// nobody is, unless [circus] has curve = True; "
            "use the ipc:// endpoint"
        )


def _refuse_who_cannot_be_run_as(peer: Peer) -> None:
    if peer.uid is None:
        raise Denied(f"denied: 'add' needs admin; you are {peer}, and a key is no user to run as")
    if os.geteuid() != 0:
        raise Denied(
            f"denied: 'add' needs admin; what {peer} adds would run as that user, and this "
            "circusd is not root: it can run nothing as others"
        )


def _is_harmless(key: str) -> bool:
    from circus.config.mapping import role_to_set

    identity = key in ("uid", "gid", "supplementary_groups")
    return identity or key.partition(".")[0] in OWN_RISK or role_to_set(key) is Role.OPERATE


def _refuse_variables(key: str, value: object) -> None:
    from circus.config.variables import looked_up

    for text in _texts(value):
        for name in looked_up(text):
            if name.startswith(OF_CIRCUSD):
                raise Denied(
                    f"denied: 'add' with {name!r} in {key} needs admin: that is of circusd's own"
                )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _refuse_others(peer: Peer, given: Mapping[str, Any]) -> None:
    """Naming oneself is fine."""
    own = {str(peer.uid), peer.user} - {""}
    groups = {*map(str, peer.groups), *peer.group_names}
    wanted = (
        ("uid", [given.get("uid")], own),
        ("gid", [given.get("gid")], groups),
        ("supplementary_groups", _listed(given.get("supplementary_groups")), groups),
    )
    for key, values, allowed in wanted:
        if any(one is not None and str(one).strip() not in allowed for one in values):
            raise Denied(
                f"denied: 'add' with another {key} needs admin; you are {peer}, who may operate: "
                "what you add runs as yourself"
            )


def _listed(value: object) -> Iterable[object]:
    if isinstance(value, str):
        return [one for one in value.split(",") if one.strip()]
    return value if isinstance(value, list | tuple) else []


def _identity(peer: Peer) -> dict[str, Any]:
    return {
        "uid": peer.uid,
        "gid": peer.gid,
        "supplementary_groups": [str(group) for group in peer.groups],
    }


def _names_code(key: str, value: object) -> bool:
    if key == "hooks" or key.startswith("hooks."):
        return True
    stream, _, rest = key.partition(".")
    if stream not in STREAMS:
        return False
    if not rest:
        return not isinstance(value, dict) or _names_code(f"{stream}.class", value.get("class", ""))
    return rest == "class" and "." in str(value).removeprefix(SHIPPED)
