"""`{"question": ..., "answer": ...}` in, an example out; of a list of answers the first is the target."""

from __future__ import annotations

from typing import ClassVar

from everlearn.data.formats.contract import RowFormat
from everlearn.data.rows import Row
from everlearn.records import Example, Message


class QuestionAnswer(RowFormat):
    """Questions with one answer, or with several that are all right."""

    keys: ClassVar = frozenset({"question", "answer"})

    def item(self, row: Row) -> Example:
        """The question, then its first answer."""
        target = Message("assistant", _answers(row)[0], learn=True)
        return Example((Message("user", row.text("question")), target), row.origin)

    def alternatives(self, row: Row) -> tuple[str, ...]:
        """The answers after the first, then the row's alternatives."""
        return (*_answers(row)[1:], *row.texts("alternatives"))


def _answers(row: Row) -> tuple[str, ...]:
    if not isinstance(row.values["answer"], list):
        return (row.text("answer"),)
    answers = row.texts("answer")
    if not answers:
        raise row.error('"answer" is an empty list', "write at least one answer, or delete the row")
    return answers
