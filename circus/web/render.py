"""Templates to pages. Whatever is put into one is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2

from circus import __version__

if TYPE_CHECKING:
    import falcon


class Renderer:
    """Renders the templates of this package."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("circus.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def __call__(self, template: str, req: falcon.Request, **values: Any) -> str:
        """The page, which also knows who asks (`visitor`) and our `version`."""
        found = self._templates.get_template(template)
        return found.render(version=__version__, visitor=req.context.visitor, req=req, **values)
