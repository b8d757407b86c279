"""A name (or a path to a Python file) in, the one plug-in class that the file defines out; no registration.

A plug-in is one file with one class in the folder of its kind: `methods/replay.py` is `--method replay`.
A path (`./mine.py`) and an installed package's entry point in the group `everlearn.<folder>` work too.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

from everlearn.errors import PluginError
from everlearn.settings import nearest

Contract = TypeVar("Contract")

CONTRACT = "contract"
"""The module in each plug-in folder that defines what its plug-ins must be; never a plug-in itself."""


def names(folder: str) -> list[str]:
    """Names of all plug-ins of a kind, sorted: those in the folder and those of installed packages."""
    package = importlib.import_module(f"everlearn.{folder}")
    found = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg} - {CONTRACT}
    found |= set(_entry_points(folder))
    return sorted(name for name in found if not name.startswith("_"))


def find(folder: str, name: str, contract: type[Contract]) -> type[Contract]:
    """The plug-in class called `name` in `folder`.

    Raises:
        PluginError: no such plug-in (the hint has the nearest name), or a file that cannot be loaded or has not exactly
            one class.
    """
    if name.endswith(".py"):
        return _class_in(_load_file(Path(name)), name, contract)
    key = name.replace("-", "_")
    if key in _entry_points(folder):
        loaded = _entry_points(folder)[key].load()
        return cast(type[Contract], loaded) if inspect.isclass(loaded) else _class_in(loaded, name, contract)
    if key not in names(folder):
        raise PluginError(f"there is no {_singular(folder)} called {name!r}", nearest(key, names(folder)))
    return _class_in(importlib.import_module(f"everlearn.{folder}.{key}"), name, contract)


def _class_in(module: ModuleType, name: str, contract: type[Contract]) -> type[Contract]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, contract)
        and value is not contract
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise PluginError(
            f"{name}: a plug-in file defines exactly one {contract.__name__}, this one defines {len(found)}",
            f"keep one class that inherits from {contract.__name__} in the file",
        )
    return found[0]


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError(f"there is no file {path}", "give the path of a Python file with one plug-in class")
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"everlearn_plugin_{path.stem}_{place}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses and the help texts of settings look it up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # anybody's code
        del sys.modules[module.__name__]
        raise PluginError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}", "put the file right; --traceback says where"
        ) from error
    return module


def _entry_points(folder: str) -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=f"everlearn.{folder}")}


def _singular(folder: str) -> str:
    return {
        "methods": "method",
        "streams": "family of streams",
        "desiderata": "desideratum",
        "study.strategies": "study strategy",
        "data.formats": "data format",
        "general": "general skill",
    }.get(folder, folder)
