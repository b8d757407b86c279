"""`{"conversations": [{"from": ..., "value": ...}, ...]}` in, an example out; all gpt turns are learnt."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.data.turns import Spelling, taught_messages
from everlearn.records import Example

SPELLING = Spelling(
    speaker="from",
    content="value",
    assistant="gpt",
    roles={"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"},
)


class ShareGpt(RowFormat):
    """Conversations with `from` and `value`, as ShareGPT exports them."""

    keys: ClassVar = frozenset({"conversations"})

    def item(self, row: Row) -> Example:
        """The conversation with the loss on all turns of the assistant."""
        return Example(taught_messages(row, "conversations", SPELLING), row.origin)
