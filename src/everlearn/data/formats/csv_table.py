"""A CSV or TSV file with a header in, rows out; the header's columns are the keys of the row formats."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from everlearn.data.detection import fitting
from everlearn.data.formats.contract import TableFormat
from everlearn.data.rows import Row, quoted
from everlearn.data.source import LONGEST_LINE, Source
from everlearn.errors import DataError

_SUFFIXES = frozenset({".csv", ".tsv"})


class CsvTable(TableFormat):
    """Tables with commas, semicolons or tabs; the column `alternatives` separates its entries by `|`."""

    def recognises(self, source: Source) -> bool:
        """By the suffix if the content is not JSON; else by a header of known columns over an even table."""
        if not source.is_text or source.holds_json:
            return False
        if source.path.suffix.lower() in _SUFFIXES:
            return True
        try:
            first = list(islice(_records(source), 2))
        except DataError:
            return False
        if len(first) < 2 or len(first[0][1]) < 2 or len(first[0][1]) != len(first[1][1]):
            return False
        columns = _columns(first[0][1])
        return all(re.fullmatch(r"\w+", name) for name in columns) and bool(fitting(set(columns)))

    def rows(self, source: Source) -> Iterator[Row]:
        """One row per record under the header; records without any text are skipped."""
        records = _records(source)
        header_line, header = next(records, (1, []))
        columns = _columns(header)
        twice = {name for name in columns if name and columns.count(name) > 1}
        if twice:
            raise DataError(
                f"{source.name}:{header_line}: the header has a column twice: {quoted(twice)}",
                "rename or remove one of them",
            )
        for line, cells in records:
            if len(cells) != len(columns):
                raise DataError(
                    f"{source.name}:{line}: {_count(cells, 'cell')} under a header of {_count(columns, 'column')}",
                    'put cells that hold the separator in quotes: "a, b"',
                )
            values: dict[str, Any] = dict(zip(columns, cells, strict=True))
            if "alternatives" in values:
                entries = values["alternatives"].split("|")
                values["alternatives"] = [entry.strip() for entry in entries if entry.strip()]
            yield Row(source.name, line, values)


def _records(source: Source) -> Iterator[tuple[int, list[str]]]:
    """The records that hold any text, each with the line it starts on."""
    header = source.beginning.split("\n", 1)[0]
    csv.field_size_limit(LONGEST_LINE)  # the module's own limit of 131,072 is too small for documents
    reader = csv.reader(source.lines(), delimiter=max(",\t;", key=header.count), skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{source.name}:{line}: broken CSV in the record that starts here: {error}",
                'close every quote, and write a quote inside a cell twice: ""',
            ) from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(header: list[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _count(things: list[str], name: str) -> str:
    return f"{len(things)} {name}" + ("" if len(things) == 1 else "s")
