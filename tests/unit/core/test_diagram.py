"""The picture of the lifecycle is the table's."""

from circus.core.diagram import PAGE, page


def test_the_picture_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
