"""Which groups somebody is in, when no process can be asked any more."""

from __future__ import annotations

import os

from circus.host.people import groups_of_user

UNKNOWN = 4100000


def test_a_user_has_the_groups_of_a_login() -> None:
    assert groups_of_user(0, 0) == tuple(os.getgrouplist("root", 0))
    assert UNKNOWN in groups_of_user(0, UNKNOWN)


def test_a_user_whom_nobody_knows_has_one_group() -> None:
    assert groups_of_user(UNKNOWN, 5) == (5,)
