"""`{"instruction": ..., "input": ..., "output": ...}` in, an example out; the input follows a blank line."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.records import Example, Message


class Alpaca(RowFormat):
    """Instructions with an optional input, as the Alpaca dataset has them."""

    keys: ClassVar = frozenset({"instruction", "output"})

    def item(self, row: Row) -> Example:
        """The instruction and its input as one user turn, the output as the target."""
        given = row.optional("input")
        instruction = row.text("instruction") + (f"\n\n{given}" if given.strip() else "")
        target = Message("assistant", row.text("output"), learn=True)
        return Example((Message("user", instruction), target), row.origin)
