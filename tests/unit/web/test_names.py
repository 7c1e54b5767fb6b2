"""Names of watchers in addresses."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus.web.names import from_path, to_path, watcher_path


@given(st.text(min_size=1).filter(str.isprintable))
def test_a_name_survives_the_decoding_of_the_server(name: str) -> None:
    assert from_path(unquote(to_path(name))) == name


@given(st.text(min_size=1).filter(str.isprintable))
def test_a_name_is_one_part_of_the_path_before_and_after_that(name: str) -> None:
    part = to_path(name)
    assert "/" not in part
    assert "/" not in unquote(part)
    assert unquote(part) not in (".", "..")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("web", "/watchers/web"),
        ("a b", "/watchers/a%20b"),
        ("a/b", "/watchers/a%252Fb"),
        ("100%", "/watchers/100%2525"),
        ("..", "/watchers/%252E%252E"),
        ('<script>"', "/watchers/%3Cscript%3E%22"),
    ],
)
def test_what_is_special_is_encoded_twice(name: str, path: str) -> None:
    assert watcher_path(name) == path


def test_a_page_below_it() -> None:
    assert watcher_path("a b", "logs") == "/watchers/a%20b/logs"
