"""Names and places of cgroups, and what a leaf can do, against the kernel."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.exc import CircusError
from circus.gauges.group import place
from circus.host.cgroup import Delegated, Emptying, Leaf, _is_delegated_to_user, folder_of
from tests.cgroups import delegated, put
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTS = """\
24 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - tmpfs tmpfs rw
33 24 0:28 / /sys/fs/cgroup/unified\\040v2 rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
"""
BELOW = "33 24 0:28 /machine/one /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("web", "watcher-web"),
        ("Web.1_a-b@c", "watcher-Web.1_a-b@c"),
        ("..", "watcher-.."),
        ("a/b c\n", "watcher-a%2Fb%20c%0A"),
        ("100%", "watcher-100%25"),
        ("plugin:ü", "watcher-plugin:%C3%BC"),
        ("\udcff", "watcher-%ED%B3%BF"),
    ],
)
def test_a_watcher_has_a_folder(name: str, folder: str) -> None:
    assert folder_of(name) == folder


def test_names_that_are_too_long_for_a_folder_differ_still() -> None:
    names = ["ü" * 300, "ü" * 301, "x" * 248, "x" * 247]
    folders = {folder_of(name) for name in names}
    assert len(folders) == len(names)
    assert max(len(folder) for folder in folders) <= 255


@pytest.mark.parametrize(
    ("own", "mounts", "folder"),
    [
        ("/", MOUNTS, "/sys/fs/cgroup/unified v2"),
        ("/a.slice/b.service", MOUNTS, "/sys/fs/cgroup/unified v2/a.slice/b.service"),
        ("/machine/one", BELOW, "/sys/fs/cgroup"),
        ("/machine/one/b.service", BELOW, "/sys/fs/cgroup/b.service"),
    ],
)
def test_a_cgroup_is_found_where_it_is_mounted(own: str, mounts: str, folder: str) -> None:
    assert place(f"12:pids:/x\n0::{own}\n", mounts) == folder


@pytest.mark.parametrize(
    ("cgroups", "mounts", "why"),
    [
        ("1:name=systemd:/\n", MOUNTS, "this kernel has no cgroup v2"),
        ("0::/machine/oneself\n", BELOW, "cgroup /machine/oneself is not mounted here"),
        ("0::/../x\n", MOUNTS, "cgroup /../x is not mounted here"),
        ("0::/\n", "", "cgroup / is not mounted here"),
    ],
)
def test_a_cgroup_that_cannot_be_found(cgroups: str, mounts: str, why: str) -> None:
    with pytest.raises(CircusError, match=why):
        place(cgroups, mounts)


@pytest.fixture
def ours() -> Iterator[Delegated]:
    """A cgroup to divide; this process is not in it."""
    with delegated() as path:
        found = Delegated(path, os.open(path, os.O_RDONLY))
        yield found
        found.close()


@needs_root
def test_a_leaf_knows_who_is_in_it_and_kills_all(ours: Delegated) -> None:
    leaf = ours.make("my web", 3)
    assert str(leaf) == "watcher-my%20web/3"
    assert ours.leaves() == [leaf]
    assert not leaf.populated()
    os.makedirs(f"{leaf.path}/own/deep")
    started = [put(leaf.path, "sleep", "1000"), put(f"{leaf.path}/own/deep", "sleep", "1000")]
    assert leaf.populated()
    wait_until(lambda: {one.name for one in leaf.processes()} == {"sleep"})
    assert {one.pid for one in leaf.processes()} == {one.pid for one in started}
    assert not leaf.remove()
    leaf.kill()
    assert [one.wait() for one in started] == [-9, -9]
    wait_until(lambda: not leaf.populated())
    assert leaf.remove()
    assert ours.leaves() == []
    assert not os.path.exists(os.path.dirname(leaf.path))


@needs_root
def test_where_the_kernel_cannot_kill_a_cgroup_each_in_it_is_killed(ours: Delegated) -> None:
    leaf = ours.make("web", 1)
    started = [put(leaf.path, "sleep", "1000") for _ in range(3)]
    kill = f"{leaf.path}/cgroup.kill"  # it cannot be deleted
    subprocess.run(["mount", "--bind", "-o", "ro", __file__, kill], check=True)
    leaf.kill()
    subprocess.run(["umount", kill], check=True)
    assert [one.wait() for one in started] == [-9, -9, -9]


@needs_root
def test_a_place_that_is_still_taken_is_refused(ours: Delegated) -> None:
    leaf = ours.make("web", 1)
    assert ours.make("web", 1) == leaf  # nobody was in it
    with put(leaf.path, "sleep", "1000") as started:
        with pytest.raises(FileExistsError):
            ours.make("web", 1)
        started.kill()


@needs_root
def test_what_is_frozen_can_be_killed(ours: Delegated) -> None:
    leaf = ours.make("web", 1)
    with put(leaf.path, "sleep", "1000"):
        leaf.freeze(on=True)
        wait_until(lambda: "frozen 1" in Path(leaf.events).read_text())
        leaf.kill()


@needs_root
def test_it_is_told_which_are_empty(ours: Delegated) -> None:
    leaves = [ours.make("web", wid) for wid in (1, 2, 3)]
    first, second, empty = leaves
    with contextlib.closing(Emptying()) as emptying:
        started = [put(leaf.path, "sleep", "1000") for leaf in (first, second)]
        for leaf in leaves:
            emptying.watch(leaf)
        assert emptying.take() == [empty]
        assert not select.select([emptying.fd], [], [], 0)[0]  # who waits for it sleeps
        assert emptying.take() == []
        for leaf in (second, first):
            leaf.kill()
            assert select.select([emptying.fd], [], [], 20)[0]
            wait_until(lambda leaf=leaf: emptying.take() == [leaf])  # type: ignore[misc]
        assert [one.wait() for one in started] == [-9, -9]
        assert empty.remove()
        with pytest.raises(FileNotFoundError):
            emptying.watch(empty)


def test_what_cannot_be_watched_costs_no_descriptor(tmp_path: Path) -> None:
    # the kernel watches none of those that it does not make up itself
    (tmp_path / "cgroup.events").touch()
    with contextlib.closing(Emptying()) as emptying:
        before = os.listdir("/proc/self/fd")
        with pytest.raises(PermissionError):
            emptying.watch(Leaf(str(tmp_path)))
        assert os.listdir("/proc/self/fd") == before


OF_USER = "/sys/fs/cgroup/user.slice/user-9.slice/user@9.service/app.slice/circus.service"

ASKED = "--user show --property=Delegate --value circus.service"


@pytest.mark.parametrize(
    ("path", "systemctl", "delegated"),
    [
        (OF_USER, f'test "$*" = "{ASKED}" && echo yes', True),
        (OF_USER, "echo no", False),
        (OF_USER, "echo Failed to connect to bus >&2; exit 1", False),
        (OF_USER, None, False),
        ("/sys/fs/cgroup/system.slice/circus.service", "echo yes", False),
    ],
)
def test_the_systemd_of_a_user_is_asked_what_it_has_delegated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    systemctl: str | None,
    *,
    delegated: bool,
) -> None:
    if systemctl is not None:
        (tmp_path / "systemctl").write_text(f"#!/bin/sh\n{systemctl}\n")
        (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _is_delegated_to_user(path) is delegated


@needs_root
def test_what_is_used_is_counted_with_all_that_have_ended(ours: Delegated) -> None:
    leaf = ours.make("web", 1)
    with put(leaf.path, "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"):
        pass
    used = leaf.usage()
    assert used.busy > 0
    assert Leaf(f"{leaf.path}/none").usage().busy == 0
