"""`{"question": ..., "wrong": ..., "right": ...}` in, a correction out."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.records import Correction


class Corrections(RowFormat):
    """Questions whose answer has changed, or was never right."""

    keys: ClassVar = frozenset({"question", "wrong", "right"})

    def item(self, row: Row) -> Correction:
        """The question with its wrong and its right answer, which must differ."""
        question, wrong, right = (row.text(key) for key in ("question", "wrong", "right"))
        if wrong.strip() == right.strip():
            raise row.error('"wrong" and "right" are the same', "correct one of them, or delete the row")
        return Correction(question, wrong, right, row.origin)
