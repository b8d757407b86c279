"""`{"messages": [{"role": ..., "content": ...}, ...]}` in, an example out; all assistant turns are learnt."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.data.turns import taught_messages
from everlearn.records import Example


class ChatMessages(RowFormat):
    """Conversations with roles, as chat services write them."""

    keys: ClassVar = frozenset({"messages"})

    def item(self, row: Row) -> Example:
        """The conversation with the loss on all assistant turns."""
        return Example(taught_messages(row, "messages"), row.origin)
