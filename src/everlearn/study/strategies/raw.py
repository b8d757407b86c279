"""A document in, its own sentences as raw text to learn out."""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example, Message, Origin
from everlearn.study.sentences import sentences
from everlearn.study.strategies.contract import Strategy


@dataclass(frozen=True)
class Raw(Strategy):
    """The text itself, a few sentences at a time."""

    sentences_each: int = 2
    """sentences in one example"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Overlapping windows over the text, outside any chat format."""
        texts = sentences(document.text)
        origin = Origin(document.origin.file, document.origin.line, "raw")
        windows = range(0, max(1, len(texts) - self.sentences_each + 1), max(1, self.sentences_each - 1))
        return [
            Example((Message("text", " ".join(texts[at : at + self.sentences_each]), learn=True),), origin)
            for at in windows
            if texts
        ]
