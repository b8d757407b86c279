"""A row, a file or a folder in, what it teaches out: the three shapes that a data format can have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from everlearn.data.rows import Row
from everlearn.data.source import Source
from everlearn.records import Document, Item, Skill


class Format:
    """A way of writing things to learn; the name of its file is the name of the format."""

    last_resort: ClassVar[bool] = False
    """Whether every other format is preferred where several fit."""


class RowFormat(Format):
    """What the rows with certain keys mean, whether they come from JSON, CSV or a dataset."""

    keys: ClassVar[frozenset[str]]
    """The keys that a row must have; others are ignored."""

    def item(self, row: Row) -> Item:
        """The item that a row with all the `keys` holds.

        Raises:
            DataError: a value of the wrong type, or nothing to learn.
        """
        raise NotImplementedError

    def alternatives(self, row: Row) -> tuple[str, ...]:
        """Answers accepted besides the target when the row is asked as a question."""
        return row.texts("alternatives")


class TableFormat(Format):
    """A file or folder that holds rows; what a row means is up to the row formats."""

    def recognises(self, source: Source) -> bool:
        """Whether the content is written in this format; must not fail on any other content."""
        raise NotImplementedError

    def rows(self, source: Source) -> Iterator[Row]:
        """The rows in order, with 1-based lines.

        Raises:
            DataError: the table is broken, or reading it takes an extra that is not installed.
        """
        raise NotImplementedError


class DocumentFormat(Format):
    """A file or folder that is one item as a whole."""

    def recognises(self, source: Source) -> bool:
        """Whether the content is written in this format; must not fail on any other content."""
        raise NotImplementedError

    def item(self, source: Source) -> Document | Skill:
        """The one item.

        Raises:
            DataError: the content breaks a rule of the format.
        """
        raise NotImplementedError

    def notes(self, source: Source) -> tuple[str, ...]:
        """What a person should know about the reading, one line each."""
        return ()
