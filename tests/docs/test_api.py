"""What is written about /api/v1 is true."""

from __future__ import annotations

from circus.web.api import openapi


def test_the_description_of_the_api_is_fresh() -> None:
    kept = openapi.FILE.read_text(encoding="utf-8")
    assert kept == openapi.text(), "run python -m circus.web.api.openapi"


def test_every_operation_has_a_name_of_its_own() -> None:
    paths = openapi.document()["paths"].values()
    names = [one["operationId"] for path in paths for one in path.values()]
    assert len(names) == len(set(names))
