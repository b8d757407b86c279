"""The keys of rows in, the one row format that all of them are written in out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple, TypeVar

from everlearn import plugins
from everlearn.data.formats.contract import Format, RowFormat
from everlearn.data.rows import Row, quoted

Shape = TypeVar("Shape", bound=Format)

FOLDER = "data.formats"
"""The plug-in folder; an installed package adds formats by entry points in `everlearn.data.formats`."""


class Recognised(NamedTuple):
    """A row and the format that its keys belong to."""

    row: Row
    name: str
    format: RowFormat


def formats_of(shape: type[Shape]) -> dict[str, Shape]:
    """All formats of one shape by name; last resorts come last."""
    found = {name: format for name, format in _formats().items() if isinstance(format, shape)}
    return dict(sorted(found.items(), key=lambda pair: (pair[1].last_resort, pair[0])))


def fitting(keys: Set[str]) -> dict[str, RowFormat]:
    """The row formats that fit a row with these keys: those that no other one fits better.

    A format fits better if it uses all keys of the other and more, or if the other is a last resort.
    """
    found = {name: format for name, format in formats_of(RowFormat).items() if format.keys <= keys}
    return {
        name: format
        for name, format in found.items()
        if not any(_fits_better(other, format) for other in found.values())
    }


def recognised(rows: Iterable[Row]) -> Iterator[Recognised]:
    """Each row with its format, the same for all of them.

    Raises:
        DataError: keys of no format or of several, or a row in another format than the first.
    """
    first: Recognised | None = None
    for row in rows:
        current = _recognise(row)
        first = first or current
        if current.name != first.name:
            raise row.error(
                f"mixed formats: this row is {current.name}, but line {first.row.line} is {first.name}",
                "put each format into a file of its own",
            )
        yield current


def _recognise(row: Row) -> Recognised:
    found = fitting(row.values.keys())
    if not found:
        keys = f"no known format has the keys {quoted(row.values)}" if row.values else "this row has no keys"
        raise row.error(keys, f"formats: {_known()}")
    if len(found) > 1:
        claims = " and ".join(f"{name} ({quoted(format.keys)})" for name, format in found.items())
        raise row.error(f"this row could be {claims}", "keep the keys of one of them")
    name, format = next(iter(found.items()))
    return Recognised(row, name, format)


def _known() -> str:
    named = formats_of(RowFormat).items()
    return "; ".join(f"{name} ({quoted(format.keys)})" for name, format in named)


def _fits_better(one: RowFormat, other: RowFormat) -> bool:
    if one.last_resort != other.last_resort:
        return other.last_resort
    return one.keys > other.keys


@functools.cache
def _formats() -> dict[str, Format]:
    return {name: plugins.find(FOLDER, name, Format)() for name in plugins.names(FOLDER)}
