"""`{"prompt": ..., "completion": ...}` in, an example out; the prompt is a text or a list of messages."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.data.turns import messages_of, taught_messages
from everlearn.records import Example, Message


class PromptCompletion(RowFormat):
    """Pairs of a prompt and its completion; the loss falls on the completion alone."""

    keys: ClassVar = frozenset({"prompt", "completion"})

    def item(self, row: Row) -> Example:
        """The prompt's turns, then the completion."""
        return Example((*_prompt(row), *_completion(row)), row.origin)


def _prompt(row: Row) -> tuple[Message, ...]:
    if isinstance(row.values["prompt"], list):
        return tuple(replace(message, learn=False) for message in messages_of(row, "prompt"))
    return (Message("user", row.text("prompt")),)


def _completion(row: Row) -> tuple[Message, ...]:
    if isinstance(row.values["completion"], list):
        return taught_messages(row, "completion")
    return (Message("assistant", row.text("completion"), learn=True),)
