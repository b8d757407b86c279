"""`{"text": ...}` in, a document out."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.records import Document


class PlainTextRows(RowFormat):
    """Texts to study, one per row."""

    keys: ClassVar = frozenset({"text"})
    last_resort: ClassVar = True  # a text beside other known keys is a rendering of them

    def item(self, row: Row) -> Document:
        """The text, titled by the row's `title` if it has one."""
        return Document(row.text("text"), row.optional("title"), row.origin)
