"""Start and stop order between watchers; names the cycle when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def layers(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Names in the order they may start: each layer needs only the layers before it.

    `edges` maps a name to the names it comes after; names it does not list are not waited for.
    Raises ValueError, naming the loop, when there is no such order.
    """
    waiting = {name: {need for need in needs if need in edges} for name, needs in edges.items()}
    followers: dict[str, list[str]] = {}
    for name, needs in waiting.items():
        for need in needs:
            followers.setdefault(need, []).append(name)
    ready = [name for name, needs in waiting.items() if not needs]
    found: list[list[str]] = []
    placed = 0
    while ready:
        found.append(ready)
        placed += len(ready)
        following: list[str] = []
        for name in ready:
            for follower in followers.get(name, ()):
                waiting[follower].discard(name)
                if not waiting[follower]:
                    following.append(follower)
        ready = following
    if placed < len(edges):
        cycle = find_cycle(edges) or []
        raise ValueError(" -> ".join(cycle))
    return found


def find_cycle(edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A loop as `[a, b, a]`, or None. Works on any depth: it does not recurse."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path = [start]
        on_path = {start: 0}
        walks = [iter(edges[start])]
        while walks:
            name = next(walks[-1], None)
            if name is None:
                walks.pop()
                left = path.pop()
                del on_path[left]
                done.add(left)
            elif name in on_path:
                return [*path[on_path[name] :], name]
            elif name in edges and name not in done:
                on_path[name] = len(path)
                path.append(name)
                walks.append(iter(edges[name]))
    return None
