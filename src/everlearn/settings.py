"""Frozen dataclasses of settings in, their documented fields and validated values out.

A field's help text is the docstring under it, written once and read from the source.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import inspect
import textwrap
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from everlearn.errors import SettingsError


class Setting(NamedTuple):
    """One field of a settings dataclass."""

    name: str
    type: Any
    default: Any
    help: str


@functools.cache
def settings_of(owner: Any) -> tuple[Setting, ...]:
    """The fields of a settings dataclass, inherited ones first, each with the docstring under it."""
    types = typing.get_type_hints(owner)
    helps: dict[str, str] = {}
    for ancestor in reversed(owner.__mro__):
        helps.update(_field_docstrings(ancestor))
    return tuple(Setting(f.name, types[f.name], f.default, helps.get(f.name, "")) for f in dataclasses.fields(owner))


def with_values(owner: type, values: Mapping[str, Any]) -> Any:
    """An instance of `owner` with `values` (texts from a command line, or typed) over its defaults.

    Raises:
        SettingsError: a name that is no field, or a value of the wrong type.
    """
    known = {setting.name: setting for setting in settings_of(cast(Any, owner))}
    chosen = {}
    for name, value in values.items():
        field = name.replace("-", "_")
        if field not in known:
            raise SettingsError(f"{owner.__name__} has no setting {name!r}", nearest(field, known))
        chosen[field] = _convert(known[field], value)
    return owner(**chosen)


def values_of(instance: Any) -> dict[str, Any]:
    """The settings of an instance as plain data, fit for a commit."""
    return {setting.name: getattr(instance, setting.name) for setting in settings_of(cast(Any, type(instance)))}


def nearest(word: str, known: typing.Iterable[str]) -> str:
    """A hint that names the nearest of the known words, then all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return (f"did you mean {close[0]!r}? " if close else "") + "there are: " + ", ".join(names)


def _convert(setting: Setting, value: Any) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(setting.type).validate_python(value)
    except ValidationError:
        expected = getattr(setting.type, "__name__", str(setting.type))
        raise SettingsError(
            f"setting {setting.name!r} got {value!r}, which is not of type {expected}", setting.help
        ) from None


def _field_docstrings(owner: type) -> dict[str, str]:
    if "SETTING_HELP" in vars(owner):  # a class that was made while the program runs has no source
        return dict(vars(owner)["SETTING_HELP"])
    if not dataclasses.is_dataclass(owner):
        return {}
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    except (OSError, TypeError):  # no source at hand: the fields stay undocumented
        return {}
    assert isinstance(body, ast.ClassDef)
    helps = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            helps[statement.target.id] = inspect.cleandoc(str(following.value.value))
    return helps
