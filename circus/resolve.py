"""Turn `package.module.Name` into the object, or say exactly what failed."""

from __future__ import annotations

import importlib

from circus.exc import CircusError


class ImportStringError(CircusError, ImportError):
    """A dotted name that leads nowhere; the message says which part of it failed."""


def resolve_name(path: str) -> object:
    """The object that `package.module.Name` or `package.module:Name` names.

    Imports user code, so it may block and run anything: never call it on the control loop.
    """
    dotted = path.replace(":", ".")
    parts = dotted.split(".")
    for depth in range(len(parts), 0, -1):
        module_name = ".".join(parts[:depth])
        try:
            found: object = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise ImportStringError(f"cannot import {path!r}: {error}") from error
            continue
        except ImportError as error:
            raise ImportStringError(f"cannot import {path!r}: {error}") from error
        for part in parts[depth:]:
            if not hasattr(found, part):
                raise ImportStringError(f"cannot import {path!r}: {module_name!r} has no {part!r}")
            found = getattr(found, part)
        return found
    raise ImportStringError(f"cannot import {path!r}: no module named {parts[0]!r}")
