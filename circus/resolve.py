"""Turn `package.module.Name` into the object, or say exactly what failed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


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
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise ImportStringError(f"cannot import {path!r}: {what}") from error
        for part in parts[depth:]:
            if not hasattr(found, part):
                raise ImportStringError(f"cannot import {path!r}: {module_name!r} has no {part!r}")
            found = getattr(found, part)
        return found
    raise ImportStringError(f"cannot import {path!r}: no module named {parts[0]!r}")


def resolve_anew(path: str) -> object:
    """The same, from its module as it stands in its file now; the old one stays when it fails."""
    importlib.invalidate_caches()
    resolve_name(path)  # also imports the packages above it
    name = path.replace(":", ".")
    while name not in sys.modules:
        name = name.rpartition(".")[0]
    before = sys.modules.pop(name)
    _forget_compiled(before)
    try:
        found = resolve_name(path)
    except BaseException:
        _put_back(name, before)
        raise
    sys.modules.setdefault(name, before)  # os.path is a module that nobody finds by that name
    return found


def _forget_compiled(module: ModuleType) -> None:
    """Of a file with the same size and second, what was compiled is taken for fresh."""
    file = getattr(module, "__file__", None)
    if file is not None:
        with contextlib.suppress(OSError, NotImplementedError):
            os.unlink(importlib.util.cache_from_source(file))


def _put_back(name: str, module: ModuleType) -> None:
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


@contextlib.contextmanager
def importing_from(folders: Sequence[str]) -> Iterator[None]:
    """Within it, this thread also finds modules in these folders, after all others.

    Unlike `sys.path`, that is nobody else's affair.
    """
    if _BESIDE not in sys.meta_path:
        sys.meta_path.append(_BESIDE)
    before, _BESIDE.folders = _BESIDE.folders, folders
    try:
        yield
    finally:
        _BESIDE.folders = before


class _Beside(threading.local):
    """Finds modules in the folders that the calling thread has named."""

    folders: Sequence[str] = ()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the import system asks it. Parts of a package are found by their package's path."""
        return PathFinder.find_spec(name, self.folders, target) if path is None else None


_BESIDE = _Beside()
