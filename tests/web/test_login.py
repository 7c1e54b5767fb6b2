"""In by a one-time link, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    from tests.web.console import Console


def test_a_stranger_is_led_to_the_login_and_back(console: Console) -> None:
    answer = console.get("/?sort=name")
    assert (answer.status, answer.location) == (303, "/login?next=%2F%3Fsort%3Dname")
    ticket = console.ticket("read")
    page = f"/login?ticket={ticket}"
    assert "who may read" in console.get(page).text
    answer = console.post("/login", {"ticket": ticket, "next": "/?sort=name"}, page=page)
    assert (answer.status, answer.location) == (303, "/?sort=name")
    assert console.get("/").status == 200


def test_a_link_lets_nobody_in_a_second_time(console: Console) -> None:
    ticket = console.ticket()
    page = f"/login?ticket={ticket}"
    assert console.post("/login", {"ticket": ticket}, page=page).status == 303
    console.cookies.clear()
    answer = console.post("/login", {"ticket": ticket}, page="/login")
    assert answer.status == 403
    assert "this link has been used" in answer.text
    assert console.get("/").status == 303


def test_who_came_in_and_left_is_on_record(console: Console) -> None:
    console.login("operate").post("/logout")
    assert console.get("/").status == 303
    came, left = wait_until(lambda: lines if len(lines := console.audit()) == 2 else None)
    assert came.endswith("from=127.0.0.1 verb=login target=operate details=- outcome=done")
    assert left.endswith("from=127.0.0.1 verb=logout target=- details=- outcome=done")
    assert "verb=console-login target=operate" in console.daemon.text()
    assert "verb=console-redeem" in console.daemon.text()
