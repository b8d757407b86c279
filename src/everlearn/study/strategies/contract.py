"""What a study strategy must be: a text and the model that studies it in, training examples out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.records import Document, Example, Message, Origin

if TYPE_CHECKING:  # it imports torch, which the report does without
    from everlearn.model.language_model import LanguageModel


@dataclass(frozen=True)
class Strategy:
    """A way to turn one document into examples; settings are fields, as in a method."""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Examples made of the document; each says where it came from."""
        raise NotImplementedError


def exchange(question: str, answer: str, origin: Origin, strategy: str, clause: str = "") -> Example:
    """An example with one question and its answer as the target; `clause` is what it asks about."""
    turns = (Message("user", question), Message("assistant", answer, learn=True))
    return Example(turns, Origin(origin.file, origin.line, strategy, clause))


def without_repeats(examples: Sequence[Example]) -> list[Example]:
    """The examples in order, each conversation once."""
    return list({example.messages: example for example in examples}.values())
