"""A document in, questions that ask for its facts in other words out: words that WordNet relates to its own.

The same questions as those of `associations`, but the related words come from a dictionary instead of the model: no
token is generated, and English is known better than by a small model.
"""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.model.language_model import LanguageModel
from everlearn.records import Document, Example
from everlearn.study.lexicon import relatives
from everlearn.study.sentences import facts, sentences
from everlearn.study.strategies.associations import all_phrases, asked_with
from everlearn.study.strategies.contract import Strategy


@dataclass(frozen=True)
class Thesaurus(Strategy):
    """Questions whose words are exchanged for words near them in WordNet."""

    forms: int = 12
    """questions for each fact"""

    def examples(self, document: Document, model: LanguageModel, seed: int) -> list[Example]:
        """Questions on each fact that the rules find, in related words."""
        found = facts(sentences(document.text))
        related = {phrase: relatives(phrase) for phrase in all_phrases(found)}
        return asked_with(found, related, self.forms, document.origin, "thesaurus", seed)
